// gMock matchers for absl::Status and absl::StatusOr.
//
//   EXPECT_OK(store.Put("a"));
//   ASSERT_OK_AND_ASSIGN(std::string a, store.Get("a"));
//   EXPECT_THAT(store.Get("b"), StatusIs(absl::StatusCode::kNotFound,
//                                        HasSubstr("b")));
//   EXPECT_THAT(store.Get("a"), IsOkAndHolds("..."));

#ifndef KINORA_COMMON_TESTING_STATUS_MATCHERS_H_
#define KINORA_COMMON_TESTING_STATUS_MATCHERS_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace kinora {
namespace internal {

inline const absl::Status& StatusOf(const absl::Status& status) {
  return status;
}
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& value) {
  return value.status();
}
// gMock's matchers want std::string, which a message is not.
inline std::string MessageOf(const absl::Status& status) {
  return std::string(status.message());
}

}  // namespace internal

MATCHER(IsOk, negation ? "is an error" : "is OK") {
  *result_listener << internal::StatusOf(arg).ToString();
  return internal::StatusOf(arg).ok();
}

// The code is `code` and the message matches.
MATCHER_P2(StatusIs, code, message_matcher,
           "has code " + absl::StatusCodeToString(code) +
               " and a message that " +
               ::testing::DescribeMatcher<std::string>(message_matcher)) {
  const absl::Status& status = internal::StatusOf(arg);
  *result_listener << status.ToString();
  return status.code() == code &&
         ::testing::Matches(::testing::SafeMatcherCast<const std::string&>(
             message_matcher))(internal::MessageOf(status));
}

MATCHER_P(StatusIs, code, "has code " + absl::StatusCodeToString(code)) {
  *result_listener << internal::StatusOf(arg).ToString();
  return internal::StatusOf(arg).code() == code;
}

MATCHER_P(IsOkAndHolds, value_matcher, "") {
  if (!arg.ok()) {
    *result_listener << arg.status().ToString();
    return false;
  }
  return ::testing::ExplainMatchResult(value_matcher, *arg, result_listener);
}

}  // namespace kinora

#define KINORA_TEST_CONCAT_INNER_(a, b) a##b
#define KINORA_TEST_CONCAT_(a, b) KINORA_TEST_CONCAT_INNER_(a, b)

#define EXPECT_OK(expr) EXPECT_THAT((expr), ::kinora::IsOk())
#define ASSERT_OK(expr) ASSERT_THAT((expr), ::kinora::IsOk())

// Assigns the value of a StatusOr, or fails the test and returns.
#define ASSERT_OK_AND_ASSIGN(lhs, expr)                         \
  auto KINORA_TEST_CONCAT_(kinora_test_or_, __LINE__) = (expr); \
  ASSERT_THAT(KINORA_TEST_CONCAT_(kinora_test_or_, __LINE__),   \
              ::kinora::IsOk());                                \
  lhs = *std::move(KINORA_TEST_CONCAT_(kinora_test_or_, __LINE__))

#endif  // KINORA_COMMON_TESTING_STATUS_MATCHERS_H_

#include "common/status.h"

#include <optional>
#include <string>

#include "absl/strings/cord.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

std::string PayloadOf(const absl::Status& status, absl::string_view url) {
  const auto payload = status.GetPayload(url);
  return payload.has_value() ? std::string(*payload) : "(none)";
}

TEST(StatusTest, AnnotateKeepsCodeAndPayloads) {
  absl::Status status = absl::NotFoundError("no such blob");
  status.SetPayload("kinora/x", absl::Cord("detail"));
  const absl::Status annotated = Annotate(status, "read manifest");
  EXPECT_THAT(annotated, StatusIs(absl::StatusCode::kNotFound,
                                  "read manifest: no such blob"));
  EXPECT_EQ(PayloadOf(annotated, "kinora/x"), "detail");
}

TEST(StatusTest, AnnotateLeavesOkAlone) {
  EXPECT_OK(Annotate(absl::OkStatus(), "read"));
}

TEST(StatusTest, InvalidFieldNamesFieldAndValue) {
  const absl::Status status =
      InvalidField("movie_id", "A/b", "must be lower case");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               "movie_id: must be lower case, got \"A/b\""));
  EXPECT_EQ(PayloadOf(status, kFieldPayload), "movie_id");
  EXPECT_EQ(PayloadOf(status, kValuePayload), "A/b");
}

TEST(StatusTest, ClipValueEscapesWhatWouldBreakALine) {
  EXPECT_EQ(ClipValue("a\n\t\"\\\x01\x7f\xff\xc3\xa9"),
            "a\\n\\t\\\"\\\\\\x01\\x7f\\xff\xc3\xa9");
}

// The 200th byte is the first half of a character: all of it is left out.
TEST(StatusTest, ClipValueCutsAtACharacterBoundary) {
  const std::string value = std::string(199, 'a') + "\xc3\xa9";
  EXPECT_EQ(ClipValue(value), std::string(199, 'a') + "...");
  EXPECT_EQ(ClipValue(std::string(200, 'a')), std::string(200, 'a'));
}

absl::StatusOr<int> Half(int n) {
  if (n % 2 != 0) return InvalidField("n", std::to_string(n), "must be even");
  return n / 2;
}

absl::StatusOr<int> Quarter(int n) {
  KINORA_ASSIGN_OR_RETURN(const int half, Half(n));
  KINORA_ASSIGN_OR_RETURN(const int quarter, Half(half));
  return quarter;
}

absl::Status CheckQuarter(int n) {
  KINORA_RETURN_IF_ERROR(Quarter(n).status());
  return absl::OkStatus();
}

TEST(StatusTest, MacrosPassTheValueOrTheFirstError) {
  EXPECT_THAT(Quarter(12), IsOkAndHolds(3));
  EXPECT_THAT(Quarter(6), StatusIs(absl::StatusCode::kInvalidArgument,
                                   EndsWith("got \"3\"")));
  EXPECT_THAT(CheckQuarter(5), StatusIs(absl::StatusCode::kInvalidArgument,
                                        HasSubstr("n: must be even")));
}

}  // namespace
}  // namespace kinora

#include "services/store/event/log_line.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/crc32c.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using testing::HasSubstr;

// The line without its '\n'.
std::string Line(int64_t sequence, absl::string_view body) {
  std::string line;
  AppendLogLine(sequence, body, &line);
  EXPECT_EQ(line.back(), '\n');
  line.pop_back();
  return line;
}

TEST(LogLineTest, HasTheDocumentedForm) {
  const std::string covered = "{\"seq\":7,\"a\":1";
  const std::string crc =
      absl::StrCat(absl::Hex(Crc32c(covered), absl::kZeroPad8));
  EXPECT_EQ(Line(7, "{\"a\":1}"), covered + ",\"crc32c\":\"" + crc + "\"}");
  EXPECT_THAT(Line(1, "{}"), testing::StartsWith("{\"seq\":1,\"crc32c\":\""));
}

TEST(LogLineTest, TellsItsSequenceNumber) {
  EXPECT_THAT(CheckLogLine(Line(1, "{}")), IsOkAndHolds(1));
  EXPECT_THAT(CheckLogLine(Line(INT64_MAX, "{\"a\":\"}\"}")),
              IsOkAndHolds(INT64_MAX));
  EXPECT_OK(CheckLogLineIs(7, Line(7, "{}")));
  EXPECT_THAT(CheckLogLineIs(8, Line(7, "{}")),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("number 7 where 8 is due")));
}

TEST(LogLineTest, EveryDamageIsSeen) {
  const std::string line = Line(12, "{\"text\":\"hello\"}");
  for (size_t i = 0; i < line.size(); ++i) {
    std::string damaged = line;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_THAT(CheckLogLine(damaged), StatusIs(absl::StatusCode::kDataLoss))
        << damaged;
    EXPECT_THAT(CheckLogLine(line.substr(0, i)),
                StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST(LogLineTest, BodiesThatWouldBreakALineAreRefused) {
  for (const char* body :
       {"", "{", "1", "[]", "{\"a\":1}\n", "{\n}", "{\"seq\":1}"}) {
    EXPECT_THAT(ValidateLogBody(body),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         testing::StartsWith("bodies")))
        << body;
  }
  EXPECT_OK(ValidateLogBody("{}"));
  EXPECT_OK(ValidateLogBody("{\"a\":\"\\n\"}"));
}

}  // namespace
}  // namespace kinora

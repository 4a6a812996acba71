#include "clients/cli/amounts.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

TEST(AmountsTest, SizesHaveBinaryUnits) {
  EXPECT_THAT(ParseSize("--max-bytes", "0"), IsOkAndHolds(0));
  EXPECT_THAT(ParseSize("--max-bytes", "4096"), IsOkAndHolds(4096));
  EXPECT_THAT(ParseSize("--max-bytes", "1.5KiB"), IsOkAndHolds(1536));
  EXPECT_THAT(ParseSize("--max-bytes", "2 TiB"),
              IsOkAndHolds(int64_t{2} << 40));
  for (const char* bad : {"", "-1", "1k", "GiB", "1e3", "9999999TiB", "1..2"}) {
    EXPECT_THAT(
        ParseSize("--max-bytes", bad),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--max-bytes")))
        << bad;
  }
}

TEST(AmountsTest, SizesAreWrittenShort) {
  EXPECT_EQ(FormatSize(0), "0 B");
  EXPECT_EQ(FormatSize(1023), "1023 B");
  EXPECT_EQ(FormatSize(1536), "1.5 KiB");
  EXPECT_EQ(FormatSize(int64_t{3} << 40), "3.0 TiB");
}

TEST(AmountsTest, CountsAndSpansAreNotNegative) {
  EXPECT_THAT(ParseCount("--takes", "3"), IsOkAndHolds(3));
  EXPECT_THAT(ParseCount("--takes", "-3"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ParseSpan("--grace", "1h30m"), IsOkAndHolds(absl::Minutes(90)));
  EXPECT_THAT(ParseSpan("--grace", "0"), IsOkAndHolds(absl::ZeroDuration()));
  EXPECT_THAT(ParseSpan("--grace", "-1s"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ParseSpan("--grace", "inf"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(AmountsTest, CostsAreNamedByTheirFlag) {
  ASSERT_OK_AND_ASSIGN(const v1::Cost cost, ParseCost("--budget", "USD 12.5"));
  EXPECT_EQ(FormatCost(cost), "12.50 USD");
  EXPECT_THAT(ParseCost("--budget", "a lot"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("--budget: must be an amount such as")));
}

TEST(AmountsTest, TimesAreReadable) {
  google::protobuf::Duration duration;
  duration.set_nanos(240'000'000);
  EXPECT_EQ(FormatSeconds(duration), "0.2 s");
  duration.set_seconds(90);
  EXPECT_EQ(FormatSeconds(duration), "1m30s");
}

}  // namespace
}  // namespace kinora

#include "common/rfc3339.h"

#include <cstdint>
#include <limits>
#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"

#include "common/random.h"

namespace kinora {
namespace {

std::string TextOf(int64_t seconds, int32_t nanos) {
  std::string text;
  AppendRfc3339(seconds, nanos, &text);
  return text;
}

TEST(Rfc3339Test, HasTheDigitsItNeeds) {
  EXPECT_EQ(TextOf(1767323045, 0), "2026-01-02T03:04:05Z");
  EXPECT_EQ(TextOf(1767323045, 678'000'000), "2026-01-02T03:04:05.678Z");
  EXPECT_EQ(TextOf(1767323045, 1), "2026-01-02T03:04:05.000000001Z");
  EXPECT_EQ(TextOf(-1, 0), "1969-12-31T23:59:59Z");
  EXPECT_EQ(TextOf(951782400, 0), "2000-02-29T00:00:00Z");
}

TEST(Rfc3339Test, AgreesWithTheCalendarAndReadsBack) {
  SeededRandom random(7);
  for (int i = 0; i < 20'000; ++i) {
    // Years 0001 to 9999.
    const auto seconds =
        static_cast<int64_t>(random.Next() % 315'537'897'600) - 62'135'596'800;
    const auto nanos =
        i % 3 == 0 ? 0 : static_cast<int32_t>(random.Next() % 1'000'000'000);
    const std::string text = TextOf(seconds, nanos);
    ASSERT_EQ(text, absl::FormatTime("%E4Y-%m-%dT%H:%M:%E*SZ",
                                     absl::FromUnixSeconds(seconds) +
                                         absl::Nanoseconds(nanos),
                                     absl::UTCTimeZone()));
    int64_t read_seconds = 0;
    int32_t read_nanos = 0;
    ASSERT_TRUE(ParseRfc3339(text, &read_seconds, &read_nanos)) << text;
    ASSERT_EQ(read_seconds, seconds) << text;
    ASSERT_EQ(read_nanos, nanos) << text;
  }
}

TEST(Rfc3339Test, ReadsNoOtherSpelling) {
  int64_t seconds = 0;
  int32_t nanos = 0;
  for (const char* text :
       {"", "Z", "2026-01-02T03:04:05", "2026-01-02T03:04:05+00:00",
        "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05.10Z",
        "2026-01-02T03:04:05.1234567891Z", "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-01-02t03:04:05Z", "2026-01-02T24:00:00Z",
        "2026-01-02T03:04:60Z", "2026-01-02T03:04:05.x1Z",
        "-026-01-02T03:04:05Z"}) {
    EXPECT_FALSE(ParseRfc3339(text, &seconds, &nanos)) << text;
  }
}

}  // namespace
}  // namespace kinora

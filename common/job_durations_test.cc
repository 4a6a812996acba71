#include "common/job_durations.h"

#include "gtest/gtest.h"

#include "common/recent_durations.h"

namespace kinora {
namespace {

TEST(RecentDurationsTest, OneThatIsFarOffDoesNotMoveTheMedian) {
  RecentDurations durations;
  EXPECT_EQ(durations.Median(), std::nullopt);
  durations.Add(absl::Seconds(3));
  EXPECT_EQ(durations.Median(), absl::Seconds(3));
  durations.Add(absl::Hours(1));
  EXPECT_EQ(durations.Median(), absl::Seconds(3));
  durations.Add(absl::Seconds(5));
  EXPECT_EQ(durations.Median(), absl::Seconds(5));
  durations.Add(-absl::Seconds(5));  // a clock that was set back
  EXPECT_EQ(durations.Median(), absl::Seconds(3));
}

TEST(RecentDurationsTest, OnlyTheLatestCount) {
  RecentDurations durations;
  for (int i = 0; i < 1000; ++i) durations.Add(absl::Seconds(1));
  for (size_t i = 0; i < RecentDurations::kKept / 2; ++i) {
    durations.Add(absl::Seconds(9));
  }
  EXPECT_EQ(durations.Median(), absl::Seconds(1));
  durations.Add(absl::Seconds(9));
  EXPECT_EQ(durations.Median(), absl::Seconds(9));
}

TEST(JobDurationsTest, WhatARunHasSeenOftenCountsForMoreThanWhatWasRecorded) {
  JobDurations durations;
  durations.Record("picture", absl::Seconds(10));
  for (int i = 1; i < JobDurations::kEnoughSeen; ++i) {
    durations.Add("picture", absl::Seconds(2));
  }
  EXPECT_EQ(durations.Of("picture"), absl::Seconds(10));
  durations.Add("picture", absl::Seconds(2));
  EXPECT_EQ(durations.Of("picture"), absl::Seconds(2));
  // Without a record the first call is better than nothing.
  durations.Add("voice", absl::Seconds(7));
  EXPECT_EQ(durations.Of("voice"), absl::Seconds(7));
}

TEST(JobDurationsTest, WhatIsNotKnownCountsAsTheMedianOfWhatIs) {
  JobDurations durations;
  EXPECT_EQ(durations.Of("picture"), std::nullopt);
  EXPECT_EQ(durations.Typical(), absl::Seconds(1));
  durations.Record("picture", absl::Seconds(10));
  durations.Record("voice", absl::Seconds(4));
  durations.Record("film", absl::Minutes(10));
  EXPECT_EQ(durations.Of("script"), std::nullopt);
  EXPECT_EQ(durations.Typical(), absl::Seconds(10));
}

}  // namespace
}  // namespace kinora

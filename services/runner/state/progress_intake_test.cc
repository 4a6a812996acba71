#include "services/runner/state/progress_intake.h"

#include <string>

#include "gtest/gtest.h"

namespace kinora {
namespace {

constexpr JobIndex kJob = 3;

v1::Progress Made(double completed, const std::string& details = "") {
  v1::Progress progress;
  progress.set_completed(completed);
  progress.set_heartbeat_details(details);
  return progress;
}

class ProgressIntakeTest : public ::testing::Test {
 protected:
  ProgressIntakeTest() { intake_.Begin(kJob); }

  ProgressIntake::Taken Take(const v1::Progress& progress) {
    return intake_.Take(kJob, progress, now_);
  }
  void Pass(absl::Duration time) { now_ += absl::ToInt64Nanoseconds(time); }

  int64_t now_ = 1'000'000'000;
  ProgressIntake intake_;
};

TEST_F(ProgressIntakeTest, WhatComesTooOftenIsNotWritten) {
  EXPECT_TRUE(Take(Made(1)).written.has_value());
  const ProgressIntake::Taken second = Take(Made(2));
  EXPECT_FALSE(second.written.has_value());
  EXPECT_FALSE(second.wait.has_value());
  Pass(kProgressPeriod);
  EXPECT_TRUE(Take(Made(3)).written.has_value());
}

// Nothing may follow it.
TEST_F(ProgressIntakeTest, WhatTheNextAttemptNeedsIsWrittenLater) {
  Take(Made(1));
  Pass(kProgressPeriod / 5);
  const ProgressIntake::Taken taken = Take(Made(2, "frame 2"));
  EXPECT_FALSE(taken.written.has_value());
  ASSERT_TRUE(taken.wait.has_value());
  EXPECT_EQ(*taken.wait, kProgressPeriod * 4 / 5);
  EXPECT_FALSE(Take(Made(3, "frame 3")).wait.has_value());  // one timer
  Pass(*taken.wait);
  const ProgressIntake::Taken due = intake_.Due(kJob, now_);
  ASSERT_TRUE(due.written.has_value());
  EXPECT_EQ(due.written->heartbeat_details(), "frame 3");
  EXPECT_EQ(intake_.LeftBy(kJob), "frame 3");
}

TEST_F(ProgressIntakeTest, WhatIsLateComesWithWhatIsWrittenFirst) {
  Take(Made(1));
  Take(Made(2, "frame 2"));
  Pass(kProgressPeriod);
  const ProgressIntake::Taken taken = Take(Made(3));
  ASSERT_TRUE(taken.written.has_value());
  EXPECT_EQ(taken.written->completed(), 3);
  EXPECT_EQ(taken.written->heartbeat_details(), "frame 2");
  EXPECT_FALSE(intake_.Late(kJob).has_value());
}

TEST_F(ProgressIntakeTest, AnAttemptThatEndsBadlyLeavesWhatIsLate) {
  Take(Made(1));
  Take(Made(2, "frame 2"));
  const auto late = intake_.Late(kJob);
  ASSERT_TRUE(late.has_value());
  EXPECT_EQ(late->heartbeat_details(), "frame 2");
  intake_.End(kJob);
  EXPECT_FALSE(Take(Made(3)).written.has_value());
  EXPECT_EQ(intake_.LeftBy(kJob), "frame 2");
}

}  // namespace
}  // namespace kinora

#include "clients/cpp/producer/stall_watch.h"

#include <memory>

#include "gtest/gtest.h"

#include "common/testing/fake_clock.h"
#include "common/testing/manual_executor.h"

namespace kinora {
namespace {

class StallWatchTest : public ::testing::Test {
 protected:
  StallWatchTest() { Begin(absl::Seconds(10)); }

  void Begin(absl::Duration limit) {
    watch_ = std::make_shared<StallWatch>(clock_, executor_, limit,
                                          [this] { ++stalls_; });
    watch_->Start();
    watch_->Await(true);
  }

  FakeClock clock_;
  ManualExecutor executor_{clock_};
  std::shared_ptr<StallWatch> watch_;
  int stalls_ = 0;
};

TEST_F(StallWatchTest, TellsOnceOfSilence) {
  executor_.Advance(absl::Seconds(9));
  EXPECT_EQ(stalls_, 0);
  executor_.Advance(absl::Seconds(1));
  EXPECT_EQ(stalls_, 1);
  executor_.Advance(absl::Hours(1));
  EXPECT_EQ(stalls_, 1);
}

// However long the whole takes.
TEST_F(StallWatchTest, WhoIsHeardOfHasNotStalled) {
  for (int i = 0; i < 20; ++i) {
    executor_.Advance(absl::Seconds(9));
    watch_->Await(false);
    watch_->Await(true);
    executor_.Advance(absl::Seconds(9));
    watch_->Hear();
  }
  EXPECT_EQ(stalls_, 0);
  executor_.Advance(absl::Seconds(10));
  EXPECT_EQ(stalls_, 1);
}

TEST_F(StallWatchTest, NeitherWorkHereNorAPersonIsItsSilence) {
  watch_->Await(false);
  executor_.Advance(absl::Hours(1));
  watch_->Await(true);
  watch_->Ask(true);
  executor_.Advance(absl::Hours(1));
  EXPECT_EQ(stalls_, 0);
  watch_->Ask(false);
  executor_.Advance(absl::Seconds(9));
  EXPECT_EQ(stalls_, 0);
  executor_.Advance(absl::Seconds(11));
  EXPECT_EQ(stalls_, 1);
}

TEST_F(StallWatchTest, WhatIsOverHasNotStalled) {
  watch_->Stop();
  EXPECT_EQ(executor_.pending_timers(), 0);
  Begin(absl::InfiniteDuration());
  EXPECT_EQ(executor_.pending_timers(), 0);
  Begin(absl::Seconds(10));
  watch_.reset();
  executor_.Advance(absl::Hours(1));
  EXPECT_EQ(stalls_, 0);
}

}  // namespace
}  // namespace kinora

#include "common/testing/manual_executor.h"

#include <set>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/fake_clock.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ManualExecutorTest : public ::testing::Test {
 protected:
  Executor::Task Note(int n) {
    return [this, n] { ran_.push_back(n); };
  }

  FakeClock clock_;
  ManualExecutor executor_{clock_};
  std::vector<int> ran_;
};

TEST_F(ManualExecutorTest, RunsNothingByItself) {
  executor_.Post(Note(1));
  executor_.Post(Note(2));
  EXPECT_THAT(ran_, IsEmpty());
  EXPECT_TRUE(executor_.RunOne());
  EXPECT_THAT(ran_, ElementsAre(1));
  EXPECT_EQ(executor_.RunUntilIdle(), 1);
  EXPECT_FALSE(executor_.RunOne());
}

TEST_F(ManualExecutorTest, AdvanceRunsTimersAtTheirTimes) {
  const absl::Time start = clock_.Now();
  std::vector<absl::Duration> at;
  executor_.PostAfter(absl::Seconds(2), [&] {
    at.push_back(clock_.Now() - start);
    executor_.PostAfter(absl::Seconds(1),
                        [&] { at.push_back(clock_.Now() - start); });
  });
  executor_.PostAfter(absl::Seconds(9), Note(9));
  executor_.Advance(absl::Seconds(5));
  EXPECT_THAT(at, ElementsAre(absl::Seconds(2), absl::Seconds(3)));
  EXPECT_THAT(ran_, IsEmpty());
  EXPECT_EQ(clock_.Now() - start, absl::Seconds(5));
  EXPECT_EQ(executor_.pending_timers(), 1);
}

TEST_F(ManualExecutorTest, CancelDropsATimer) {
  const Executor::TimerId id = executor_.PostAfter(absl::Seconds(1), Note(1));
  EXPECT_TRUE(executor_.Cancel(id));
  EXPECT_FALSE(executor_.Cancel(id));
  executor_.Advance(absl::Seconds(2));
  EXPECT_THAT(ran_, IsEmpty());
}

TEST_F(ManualExecutorTest, AdvanceUntilStopsAtTheCondition) {
  const absl::Time start = clock_.Now();
  for (int i = 1; i <= 5; ++i) executor_.PostAfter(absl::Hours(i), Note(i));
  EXPECT_TRUE(executor_.AdvanceUntil([this] { return ran_.size() == 3; },
                                     absl::Hours(24)));
  EXPECT_EQ(clock_.Now() - start, absl::Hours(3));
  EXPECT_FALSE(executor_.AdvanceUntil([] { return false; }, absl::Hours(1)));
  EXPECT_THAT(ran_, ElementsAre(1, 2, 3, 4));
  EXPECT_FALSE(executor_.AdvanceUntil([] { return false; }, absl::Hours(99)));
}

// F: S1-59
TEST_F(ManualExecutorTest, ASeedPicksAnOrderAndRepeatsIt) {
  const auto order_of = [](uint64_t seed) {
    FakeClock clock;
    ManualExecutor executor(clock, seed);
    std::vector<int> order;
    for (int i = 0; i < 4; ++i)
      executor.Post([&order, i] { order.push_back(i); });
    executor.RunUntilIdle();
    return order;
  };
  std::set<std::vector<int>> orders;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    EXPECT_EQ(order_of(seed), order_of(seed));
    orders.insert(order_of(seed));
  }
  EXPECT_EQ(orders.size(), 24u);  // all of them
}

}  // namespace
}  // namespace kinora

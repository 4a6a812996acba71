#include "services/store/event/event_log_waiters.h"

#include <memory>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/fake_clock.h"
#include "common/testing/manual_executor.h"
#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"

namespace kinora {
namespace {

TEST(EventLogWaitersTest, CallsThoseThatAreBehindInOrder) {
  EventLogWaiters waiters(nullptr);
  std::vector<int> called;
  waiters.Add("a", 7, [&] { called.push_back(7); });
  waiters.Add("a", 5, [&] { called.push_back(5); });
  waiters.Add("a", 6, [&] { called.push_back(6); });
  waiters.Add("b", 5, [&] { called.push_back(0); });
  waiters.Notify("a", 5);
  EXPECT_THAT(called, testing::IsEmpty());
  waiters.Notify("a", 7);
  EXPECT_THAT(called, testing::ElementsAre(5, 6));
  waiters.Notify("a", 8);
  EXPECT_THAT(called, testing::ElementsAre(5, 6, 7));
}

TEST(EventLogWaitersTest, RunsOnTheExecutor) {
  FakeClock clock;
  ManualExecutor executor(clock);
  EventLogWaiters waiters(&executor);
  int called = 0;
  waiters.Add("a", 0, [&] { ++called; });
  waiters.Notify("a", 1);
  EXPECT_EQ(called, 0);
  executor.RunUntilIdle();
  EXPECT_EQ(called, 1);
}

TEST(EventLogWaitersTest, ACancelledWaiterIsNotCalledAlsoIfItIsDue) {
  FakeClock clock;
  ManualExecutor executor(clock);
  EventLogWaiters waiters(&executor);
  int called = 0;
  const auto waiting = waiters.Add("a", 0, [&] { ++called; });
  const auto due = waiters.Add("b", 0, [&] { ++called; });
  waiters.Cancel(waiting);
  waiters.Notify("a", 1);
  waiters.Notify("b", 1);
  waiters.Cancel(due);
  executor.RunUntilIdle();
  EXPECT_EQ(called, 0);
}

TEST(EventLogWaitersTest, ClosuresThatOutliveItDoNothing) {
  FakeClock clock;
  ManualExecutor executor(clock);
  int called = 0;
  {
    EventLogWaiters waiters(&executor);
    waiters.Add("a", 0, [&] { ++called; });
    waiters.Notify("a", 1);
  }
  executor.RunUntilIdle();
  EXPECT_EQ(called, 0);
}

TEST(EventLogWaitersTest, AWaiterMayAddTheNext) {
  EventLogWaiters waiters(nullptr);
  int called = 0;
  waiters.Add("a", 0, [&] {
    ++called;
    waiters.Add("a", 1, [&] { ++called; });
  });
  waiters.Notify("a", 1);
  EXPECT_EQ(called, 1);
  waiters.Notify("a", 2);
  EXPECT_EQ(called, 2);
}

// Whatever the race, after Cancel() what the callback uses may go.
TEST(EventLogWaitersTest, CancelWaitsForACallbackThatRuns) {
  ThreadPool pool("waiters", 2);
  EventLogWaiters waiters(&pool);
  for (int round = 0; round < 300; ++round) {
    auto used = std::make_unique<int>(0);
    const auto id = waiters.Add("a", 0, [&used] { ++*used; });
    waiters.Notify("a", 1);
    waiters.Cancel(id);
    used.reset();
  }
}

}  // namespace
}  // namespace kinora

#include "common/threads/strand.h"

#include <memory>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

#include "common/testing/fake_clock.h"
#include "common/testing/manual_executor.h"
#include "common/threads/thread_pool.h"

namespace kinora {
namespace {

// `count` and `order` have no lock: TSan would see two closures at once.
TEST(StrandTest, RunsInOrderAndNeverTwoAtOnce) {
  ThreadPool pool("test", 4);
  std::vector<int> order;
  Strand strand(pool);
  for (int i = 0; i < 1000; ++i) {
    strand.Post([&order, i] { order.push_back(i); });
  }
  pool.Stop();
  ASSERT_EQ(order.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

TEST(StrandTest, SerialisesWhatManyThreadsPost) {
  ThreadPool pool("test", 4);
  int count = 0;
  Strand strand(pool);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) strand.Post([&count] { ++count; });
    });
  }
  for (std::thread& thread : threads) thread.join();
  pool.Stop();
  EXPECT_EQ(count, 2000);
}

TEST(StrandTest, PostFromItsOwnClosureRunsLater) {
  FakeClock clock;
  ManualExecutor executor(clock);
  std::vector<int> order;
  Strand strand(executor);
  strand.Post([&] {
    strand.Post([&order] { order.push_back(2); });
    order.push_back(1);
  });
  executor.RunUntilIdle();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(StrandTest, RunsWhatIsQueuedAfterItIsGone) {
  FakeClock clock;
  ManualExecutor executor(clock);
  int ran = 0;
  {
    Strand strand(executor);
    for (int i = 0; i < 40; ++i) strand.Post([&ran] { ++ran; });
  }
  executor.RunUntilIdle();
  EXPECT_EQ(ran, 40);
}

// A closure posted behind a busy strand gets its turn before the strand is
// done.
TEST(StrandTest, ABusyStrandLetsOthersRun) {
  FakeClock clock;
  ManualExecutor executor(clock);
  int ran = 0;
  int seen = -1;
  Strand strand(executor);
  for (int i = 0; i < 100; ++i) strand.Post([&ran] { ++ran; });
  executor.Post([&] { seen = ran; });
  executor.RunUntilIdle();
  EXPECT_EQ(ran, 100);
  EXPECT_GT(seen, 0);
  EXPECT_LT(seen, 100);
}

TEST(StrandTest, AnIdleStrandHoldsNothingOnTheExecutor) {
  FakeClock clock;
  ManualExecutor executor(clock);
  Strand strand(executor);
  strand.Post([] {});
  EXPECT_EQ(executor.RunUntilIdle(), 1);
  EXPECT_FALSE(executor.RunOne());
}

TEST(StrandTest, TasksRefusedByAStoppedExecutorGoWithTheStrand) {
  ThreadPool pool("test", 1);
  pool.Stop();
  auto held = std::make_shared<int>(0);
  {
    Strand strand(pool);
    strand.Post([held] { *held = 1; });
    strand.Post([held] { *held = 1; });
  }
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(*held, 0);
}

}  // namespace
}  // namespace kinora

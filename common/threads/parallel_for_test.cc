#include "common/threads/parallel_for.h"

#include <set>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

#include "common/testing/manual_executor.h"
#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"

namespace kinora {
namespace {

TEST(ParallelForTest, CallsEachOnceAndWaitsForAll) {
  ThreadPool pool("loop", 3);
  for (size_t count : std::vector<size_t>{0, 1, 2, 1000}) {
    std::vector<int> calls(count, 0);
    ParallelFor(pool, 3, count, [&calls](size_t i) { ++calls[i]; });
    EXPECT_EQ(calls, std::vector<int>(count, 1));
  }
}

TEST(ParallelForTest, TheThreadsOfTheExecutorHelp) {
  ThreadPool pool("loop", 1);
  Mutex mu;
  CondVar cv;
  std::set<std::thread::id> threads;
  // Each call waits until the other is on a thread of its own.
  ParallelFor(pool, 1, 2, [&](size_t) {
    MutexLock lock(mu);
    threads.insert(std::this_thread::get_id());
    cv.SignalAll();
    while (threads.size() < 2) cv.Wait(mu);
  });
  EXPECT_EQ(threads.size(), 2u);
}

TEST(ParallelForTest, ABusyExecutorIsNotWaitedFor) {
  FakeClock clock;
  ManualExecutor idle(clock);
  int calls = 0;
  ParallelFor(idle, 4, 10, [&calls](size_t) { ++calls; });
  EXPECT_EQ(calls, 10);
  idle.RunUntilIdle();  // helpers that come late find nothing to do
  EXPECT_EQ(calls, 10);
}

}  // namespace
}  // namespace kinora

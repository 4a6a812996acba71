#include "common/threads/thread_pool.h"

#include <pthread.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

#include "common/threads/mutex.h"

namespace kinora {
namespace {

// Something to wait for that a task announces.
class Event {
 public:
  void Set() {
    MutexLock lock(mu_);
    set_ = true;
    cv_.SignalAll();
  }
  void Wait() {
    MutexLock lock(mu_);
    while (!set_) cv_.Wait(mu_);
  }

 private:
  Mutex mu_;
  CondVar cv_;
  bool set_ ABSL_GUARDED_BY(mu_) = false;
};

TEST(ThreadPoolTest, RunsWhatManyThreadsPost) {
  std::atomic<int> ran = 0;
  ThreadPool pool("test", 4);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 250; ++i) pool.Post([&ran] { ++ran; });
    });
  }
  for (std::thread& thread : threads) thread.join();
  pool.Stop();
  EXPECT_EQ(ran, 1000);
}

TEST(ThreadPoolTest, OneThreadKeepsTheOrder) {
  std::vector<int> order;
  ThreadPool pool("test", 1);
  for (int i = 0; i < 100; ++i) pool.Post([&order, i] { order.push_back(i); });
  pool.Stop();
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

TEST(ThreadPoolTest, TwoThreadsRunTwoTasksAtOnce) {
  ThreadPool pool("test", 2);
  Event first;
  Event second;
  pool.Post([&] {
    first.Set();
    second.Wait();
  });
  pool.Post([&] {
    second.Set();
    first.Wait();
  });
  pool.Stop();  // would hang if they ran one after the other
}

// Stop() drains: also the tasks that drained tasks post, a hundred deep.
TEST(ThreadPoolTest, StopRunsWhatQueuedTasksPost) {
  std::atomic<int> ran = 0;
  ThreadPool pool("test", 3);
  std::function<void()> chain = [&] {
    if (++ran < 100) pool.Post(chain);
  };
  pool.Post(chain);
  pool.Stop();
  EXPECT_EQ(ran, 100);
}

TEST(ThreadPoolTest, PostAfterStopDestroysTheTask) {
  ThreadPool pool("test", 1);
  pool.Stop();
  auto held = std::make_shared<int>(0);
  pool.Post([held] { *held = 1; });
  pool.PostAfter(absl::ZeroDuration(), [held] { *held = 1; });
  pool.PostAfter(absl::Hours(1), [held] { *held = 1; });
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(*held, 0);
}

TEST(ThreadPoolTest, TimersRunInTheOrderOfTheirTimes) {
  std::vector<int> order;
  Event done;
  ThreadPool pool("test", 1);
  pool.PostAfter(absl::Milliseconds(20), [&] {
    order.push_back(2);
    done.Set();
  });
  pool.PostAfter(absl::Milliseconds(1), [&] { order.push_back(1); });
  pool.PostAfter(absl::ZeroDuration(), [&] { order.push_back(0); });
  done.Wait();
  pool.Stop();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
}

TEST(ThreadPoolTest, ACancelledTimerNeverRuns) {
  std::atomic<bool> ran = false;
  auto held = std::make_shared<int>(0);
  ThreadPool pool("test", 1);
  const Executor::TimerId id =
      pool.PostAfter(absl::Hours(1), [&ran, held] { ran = true; });
  EXPECT_TRUE(pool.Cancel(id));
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_FALSE(pool.Cancel(id));
  EXPECT_FALSE(pool.Cancel(12345));
  pool.Stop();
  EXPECT_FALSE(ran);
}

TEST(ThreadPoolTest, CancelAfterTheTimerRanIsFalse) {
  Event ran;
  ThreadPool pool("test", 1);
  const Executor::TimerId id =
      pool.PostAfter(absl::Milliseconds(1), [&ran] { ran.Set(); });
  ran.Wait();
  EXPECT_FALSE(pool.Cancel(id));
}

// A pool with a far timer must not wait for it.
TEST(ThreadPoolTest, StopDropsTimers) {
  auto held = std::make_shared<int>(0);
  ThreadPool pool("test", 1);
  pool.PostAfter(absl::Hours(1), [held] { *held = 1; });
  pool.PostAfter(absl::InfiniteDuration(), [held] { *held = 1; });
  pool.Stop();
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(*held, 0);
}

TEST(ThreadPoolTest, ThreadsAreNamed) {
  std::string name;
  ThreadPool pool("kinora-a-long-name", 1);
  pool.Post([&name] {
    char buffer[16] = {};
    pthread_getname_np(pthread_self(), buffer, sizeof(buffer));
    name = buffer;
  });
  pool.Stop();
  EXPECT_EQ(name, "kinora-a-long-n");
}

}  // namespace
}  // namespace kinora

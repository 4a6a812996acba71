#include "common/threads/mutex.h"

#include <limits>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

#include "common/clock.h"

namespace kinora {
namespace {

struct Counter {
  Mutex mu;
  CondVar cv;
  int value ABSL_GUARDED_BY(mu) = 0;
};

TEST(MutexTest, ExcludesOtherThreads) {
  Counter counter;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&counter] {
      for (int i = 0; i < 1000; ++i) {
        MutexLock lock(counter.mu);
        ++counter.value;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  MutexLock lock(counter.mu);
  EXPECT_EQ(counter.value, 4000);
}

TEST(MutexTest, TryLockFailsWhileHeld) {
  Mutex mu;
  MutexLock lock(mu);
  std::thread([&mu] {
    if (mu.TryLock()) {
      mu.Unlock();
      ADD_FAILURE() << "took a lock that is held";
    }
  }).join();
}

// Two threads take turns; each turn is a signal that must not be lost.
TEST(CondVarTest, HandsTurnsBackAndForth) {
  Counter counter;
  std::thread other([&counter] {
    MutexLock lock(counter.mu);
    while (counter.value < 200) {
      while (counter.value % 2 == 0) counter.cv.Wait(counter.mu);
      ++counter.value;
      counter.cv.SignalAll();
    }
  });
  {
    MutexLock lock(counter.mu);
    while (counter.value < 199) {
      ++counter.value;
      counter.cv.SignalAll();
      while (counter.value % 2 == 1) counter.cv.Wait(counter.mu);
    }
  }
  other.join();
  MutexLock lock(counter.mu);
  EXPECT_EQ(counter.value, 200);
}

TEST(CondVarTest, WaitEndsAtTheDeadlineWithTheLockHeld) {
  Counter counter;
  MutexLock lock(counter.mu);
  const int64_t deadline = DeadlineAfter(RealClock(), absl::Milliseconds(5));
  while (counter.cv.WaitUntil(counter.mu, deadline)) {
  }
  EXPECT_GE(RealClock().MonotonicNanos(), deadline);
  EXPECT_FALSE(counter.cv.WaitUntil(counter.mu, 0));
  std::thread([&counter] {
    if (counter.mu.TryLock()) {
      counter.mu.Unlock();
      ADD_FAILURE() << "the wait gave the lock away";
    }
  }).join();
}

TEST(CondVarTest, AnInfiniteWaitEndsWithTheSignal) {
  Counter counter;
  std::thread other([&counter] {
    MutexLock lock(counter.mu);
    counter.value = 1;
    counter.cv.SignalOne();
  });
  {
    MutexLock lock(counter.mu);
    while (counter.value == 0) {
      counter.cv.WaitFor(counter.mu, absl::InfiniteDuration());
    }
  }
  other.join();
}

TEST(ClockTest, DeadlineSaturates) {
  EXPECT_EQ(DeadlineAfter(RealClock(), absl::InfiniteDuration()),
            std::numeric_limits<int64_t>::max());
  const int64_t past = DeadlineAfter(RealClock(), -absl::Hours(1));
  EXPECT_LE(past, RealClock().MonotonicNanos());
}

}  // namespace
}  // namespace kinora

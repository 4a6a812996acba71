#include "common/threads/keyed_strands.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/fake_clock.h"
#include "common/testing/manual_executor.h"
#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;

TEST(KeyedStrandsTest, OneOfAKeyAtATimeAndOthersBesideIt) {
  FakeClock clock;
  ManualExecutor executor(clock);
  KeyedStrands strands(executor);
  std::vector<std::string> ran;
  const auto post = [&](const char* key, const char* what) {
    strands.For(key).Post([&ran, what] { ran.emplace_back(what); });
  };
  post("film", "film 1");
  post("film", "film 2");
  post("film", "film 3");
  post("other", "other 1");
  executor.RunUntilIdle();
  // What waits for its turn is not on the executor: the other key comes first.
  EXPECT_THAT(ran, ElementsAre("film 1", "other 1", "film 2", "film 3"));
  post("film", "film 4");
  executor.RunUntilIdle();
  EXPECT_EQ(ran.back(), "film 4");
}

// Also when closures of many threads come while others of their key end.
TEST(KeyedStrandsTest, NothingIsLostAndNothingOverlaps) {
  constexpr int kKeys = 3;
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  struct Count {
    int value = 0;  // without a lock: its key's closures are never two at once
  };
  Count counts[kKeys];
  Mutex mu;
  CondVar changed;
  int done = 0;
  {
    ThreadPool pool("strands", 3);
    KeyedStrands strands(pool);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < kEach; ++i) {
          strands.For(absl::StrCat(i % kKeys)).Post([&, i] {
            ++counts[i % kKeys].value;
            MutexLock lock(mu);
            ++done;
            changed.SignalAll();
          });
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    MutexLock lock(mu);
    while (done < kThreads * kEach) changed.Wait(mu);
  }
  int sum = 0;
  for (const Count& count : counts) sum += count.value;
  EXPECT_EQ(sum, kThreads * kEach);
}

// Whoever waits for the end of a closure hears of it, run or not.
TEST(KeyedStrandsTest, WhatCannotRunIsDestroyedWithThem) {
  auto told = std::make_shared<int>(0);
  {
    FakeClock clock;
    ManualExecutor executor(clock);
    KeyedStrands strands(executor);
    for (int i = 0; i < 3; ++i) strands.For("film").Post([told] { ++*told; });
    EXPECT_TRUE(executor.RunOne());
  }
  EXPECT_EQ(*told, 1);
  EXPECT_EQ(told.use_count(), 1);
}

}  // namespace
}  // namespace kinora

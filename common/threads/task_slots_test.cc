#include "common/threads/task_slots.h"

#include <vector>

#include "gtest/gtest.h"

#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"

namespace kinora {
namespace {

// Closures that wait until they are let go.
class Waiting {
 public:
  void Run(int which) {
    MutexLock lock(mu_);
    begun_.push_back(which);
    changed_.SignalAll();
    while (!open_) changed_.Wait(mu_);
  }
  void WaitFor(size_t begun) {
    MutexLock lock(mu_);
    while (begun_.size() < begun) changed_.Wait(mu_);
  }
  void Open() {
    MutexLock lock(mu_);
    open_ = true;
    changed_.SignalAll();
  }
  std::vector<int> begun() {
    MutexLock lock(mu_);
    return begun_;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  bool open_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<int> begun_ ABSL_GUARDED_BY(mu_);
};

TEST(TaskSlotsTest, NoMoreThanItsSlotsAreTaken) {
  Waiting held;
  Waiting others;
  others.Open();
  ThreadPool pool("slots", 3);
  TaskSlots slots(pool, 2);
  for (int i = 0; i < 5; ++i) {
    slots.Post([&held, i] { held.Run(i); });
  }
  held.WaitFor(2);
  // The third thread is free for everything else.
  for (int i = 0; i < 3; ++i) pool.Post([&others, i] { others.Run(i); });
  others.WaitFor(3);
  EXPECT_EQ(held.begun().size(), 2u);
  held.Open();
  held.WaitFor(5);
  // And the slots are free again.
  slots.Post([&others] { others.Run(3); });
  others.WaitFor(4);
}

TEST(TaskSlotsTest, WhatIsQueuedRunsThoughTheSlotsAreGone) {
  Waiting held;
  ThreadPool pool("slots", 1);
  {
    TaskSlots slots(pool, 1);
    for (int i = 0; i < 3; ++i) {
      slots.Post([&held, i] { held.Run(i); });
    }
  }
  held.Open();
  held.WaitFor(3);
  EXPECT_EQ(held.begun(), (std::vector<int>{0, 1, 2}));
}

}  // namespace
}  // namespace kinora

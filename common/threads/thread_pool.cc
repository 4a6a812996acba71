#include "common/threads/thread_pool.h"

#include <pthread.h>

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"

#include "common/clock.h"

namespace kinora {
namespace {

void NameThisThread(const std::string& name) {
  // The kernel refuses longer names instead of cutting them.
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

}  // namespace

ThreadPool::ThreadPool(absl::string_view name, int threads) {
  MutexLock lock(mu_);
  for (int i = 0; i < std::max(threads, 1); ++i) {
    threads_.emplace_back([this, name = absl::StrCat(name, "-", i)] {
      NameThisThread(name);
      Work();
    });
  }
  threads_.emplace_back([this, name = absl::StrCat(name, "-timer")] {
    NameThisThread(name);
    KeepTime();
  });
}

ThreadPool::~ThreadPool() { Stop(); }

void ThreadPool::Post(Task task) {
  // A refused task is destroyed with the parameter, after the lock is released.
  MutexLock lock(mu_);
  if (stopped_) return;
  queue_.push_back(std::move(task));
  work_cv_.SignalOne();
}

Executor::TimerId ThreadPool::PostAfter(absl::Duration delay, Task task) {
  const int64_t due = DeadlineAfter(RealClock(), delay);
  MutexLock lock(mu_);
  const TimerId id = next_timer_id_++;
  if (delay <= absl::ZeroDuration()) {
    if (!stopped_) {
      queue_.push_back(std::move(task));
      work_cv_.SignalOne();
    }
    return id;
  }
  if (stopping_) return id;
  const auto added = timers_.emplace(TimerKey(due, id), std::move(task)).first;
  due_by_id_.emplace(id, due);
  if (added == timers_.begin()) timer_cv_.SignalOne();
  return id;
}

bool ThreadPool::Cancel(TimerId id) {
  Task task;  // destroyed after the lock is released
  MutexLock lock(mu_);
  const auto found = due_by_id_.find(id);
  if (found == due_by_id_.end()) return false;
  const auto timer = timers_.find(TimerKey(found->second, id));
  task = std::move(timer->second);
  timers_.erase(timer);
  due_by_id_.erase(found);
  return true;
}

void ThreadPool::Stop() {
  std::map<TimerKey, Task> dropped;  // destroyed after the lock is released
  std::vector<std::thread> threads;
  {
    MutexLock lock(mu_);
    stopping_ = true;
    dropped.swap(timers_);
    due_by_id_.clear();
    threads.swap(threads_);
    work_cv_.SignalAll();
    timer_cv_.SignalAll();
  }
  for (std::thread& thread : threads) thread.join();
}

void ThreadPool::Work() {
  mu_.Lock();
  while (true) {
    while (queue_.empty() && !stopped_ && !(stopping_ && running_ == 0)) {
      work_cv_.Wait(mu_);
    }
    if (queue_.empty()) {
      // Nothing queued and nobody left who could post: the last task is done.
      stopped_ = true;
      work_cv_.SignalAll();
      break;
    }
    {
      Task task = std::move(queue_.front());
      queue_.pop_front();
      ++running_;
      mu_.Unlock();
      std::move(task)();
      // The task's captures die here, outside the lock: they may post, too.
      task = nullptr;
      mu_.Lock();
    }
    --running_;
    if (stopping_ && running_ == 0) work_cv_.SignalAll();
  }
  mu_.Unlock();
}

void ThreadPool::KeepTime() {
  MutexLock lock(mu_);
  while (!stopping_) {
    if (timers_.empty()) {
      timer_cv_.Wait(mu_);
      continue;
    }
    const TimerKey first = timers_.begin()->first;
    if (RealClock().MonotonicNanos() < first.first) {
      timer_cv_.WaitUntil(mu_, first.first);
      continue;
    }
    queue_.push_back(std::move(timers_.begin()->second));
    timers_.erase(timers_.begin());
    due_by_id_.erase(first.second);
    work_cv_.SignalOne();
  }
}

}  // namespace kinora

#include "common/testing/manual_executor.h"

#include <limits>
#include <utility>

namespace kinora {

void ManualExecutor::Post(Task task) {
  MutexLock lock(mu_);
  ready_.push_back(std::move(task));
}

Executor::TimerId ManualExecutor::PostAfter(absl::Duration delay, Task task) {
  const int64_t due = DeadlineAfter(clock_, delay);
  MutexLock lock(mu_);
  const TimerId id = next_id_++;
  timers_.emplace(std::make_pair(due, id), std::move(task));
  return id;
}

bool ManualExecutor::Cancel(TimerId id) {
  Task task;  // destroyed after the lock is released
  MutexLock lock(mu_);
  for (auto timer = timers_.begin(); timer != timers_.end(); ++timer) {
    if (timer->first.second != id) continue;
    task = std::move(timer->second);
    timers_.erase(timer);
    return true;
  }
  return false;
}

void ManualExecutor::MoveDueTimers() {
  const int64_t now = clock_.MonotonicNanos();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    ready_.push_back(std::move(timers_.begin()->second));
    timers_.erase(timers_.begin());
  }
}

bool ManualExecutor::RunOne() {
  Task task;
  {
    MutexLock lock(mu_);
    MoveDueTimers();
    if (ready_.empty()) return false;
    const size_t which = shuffle_ ? UniformBelow(random_, ready_.size()) : 0;
    const auto chosen = ready_.begin() + static_cast<ptrdiff_t>(which);
    task = std::move(*chosen);
    ready_.erase(chosen);
  }
  std::move(task)();
  return true;
}

int ManualExecutor::RunUntilIdle() {
  int count = 0;
  while (RunOne()) ++count;
  return count;
}

void ManualExecutor::Advance(absl::Duration by) {
  RunUntilIdle();
  const int64_t end = DeadlineAfter(clock_, by);
  while (true) {
    const std::optional<int64_t> due = NextDue();
    if (!due.has_value() || *due > end) break;
    clock_.Advance(absl::Nanoseconds(*due - clock_.MonotonicNanos()));
    RunUntilIdle();
  }
  clock_.Advance(absl::Nanoseconds(end - clock_.MonotonicNanos()));
}

bool ManualExecutor::AdvanceUntil(absl::AnyInvocable<bool()> done,
                                  absl::Duration limit) {
  const int64_t end = DeadlineAfter(clock_, limit);
  while (!done()) {
    if (RunOne()) continue;
    const std::optional<int64_t> due = NextDue();
    if (!due.has_value() || *due > end) return false;
    clock_.Advance(absl::Nanoseconds(*due - clock_.MonotonicNanos()));
  }
  return true;
}

int ManualExecutor::pending_timers() const {
  MutexLock lock(mu_);
  return static_cast<int>(timers_.size());
}

std::optional<int64_t> ManualExecutor::NextDue() const {
  MutexLock lock(mu_);
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first.first;
}

}  // namespace kinora

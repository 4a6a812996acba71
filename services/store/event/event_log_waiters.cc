#include "services/store/event/event_log_waiters.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"

#include "common/threads/mutex.h"

namespace kinora {

struct EventLogWaiters::State {
  struct Waiter {
    std::string log;
    int64_t after = 0;
    absl::AnyInvocable<void()> callback;
  };
  using Order = std::set<std::pair<int64_t, WaiterId>>;  // (after, id)

  // Runs the callback unless it was cancelled.
  void Run(WaiterId id) ABSL_LOCKS_EXCLUDED(mu) {
    absl::AnyInvocable<void()> callback;
    {
      MutexLock lock(mu);
      const auto found = due.find(id);
      if (found == due.end()) return;
      callback = std::move(found->second);
      due.erase(found);
      running.insert(id);
    }
    callback();
    callback = nullptr;  // what it holds goes before Cancel() returns
    MutexLock lock(mu);
    running.erase(id);
    finished.SignalAll();
  }

  // Takes the waiters that have something to read now.
  std::vector<WaiterId> TakeDue(absl::string_view log, int64_t last)
      ABSL_LOCKS_EXCLUDED(mu) {
    std::vector<WaiterId> ids;
    MutexLock lock(mu);
    const auto found = by_log.find(log);
    if (found == by_log.end()) return ids;
    Order& order = found->second;
    while (!order.empty() && order.begin()->first < last) {
      const WaiterId id = order.begin()->second;
      order.erase(order.begin());
      const auto waiter = waiting.find(id);
      due.emplace(id, std::move(waiter->second.callback));
      waiting.erase(waiter);
      ids.push_back(id);
    }
    if (order.empty()) by_log.erase(found);
    return ids;
  }

  Mutex mu;
  CondVar finished;
  WaiterId next_id ABSL_GUARDED_BY(mu) = 1;
  // A waiter is in one of these, in this order.
  absl::flat_hash_map<WaiterId, Waiter> waiting ABSL_GUARDED_BY(mu);
  absl::flat_hash_map<WaiterId, absl::AnyInvocable<void()>> due
      ABSL_GUARDED_BY(mu);
  std::set<WaiterId> running ABSL_GUARDED_BY(mu);

  absl::flat_hash_map<std::string, Order> by_log ABSL_GUARDED_BY(mu);
};

EventLogWaiters::EventLogWaiters(Executor* executor)
    : executor_(executor), state_(std::make_shared<State>()) {}

EventLogWaiters::~EventLogWaiters() {
  // Destroyed after the lock is released: callbacks may hold anything.
  absl::flat_hash_map<WaiterId, State::Waiter> waiting;
  absl::flat_hash_map<WaiterId, absl::AnyInvocable<void()>> due;
  MutexLock lock(state_->mu);
  waiting.swap(state_->waiting);
  due.swap(state_->due);
  state_->by_log.clear();
  while (!state_->running.empty()) state_->finished.Wait(state_->mu);
}

EventLogWaiters::WaiterId EventLogWaiters::Add(
    absl::string_view log, int64_t after, absl::AnyInvocable<void()> callback) {
  MutexLock lock(state_->mu);
  const WaiterId id = state_->next_id++;
  state_->waiting.emplace(
      id, State::Waiter{std::string(log), after, std::move(callback)});
  state_->by_log[log].emplace(after, id);
  return id;
}

void EventLogWaiters::Notify(absl::string_view log, int64_t last) {
  for (const WaiterId id : state_->TakeDue(log, last)) {
    if (executor_ == nullptr) {
      state_->Run(id);
    } else {
      executor_->Post([state = state_, id] { state->Run(id); });
    }
  }
}

void EventLogWaiters::Cancel(WaiterId id) {
  // Destroyed after the lock is released: it may hold anything.
  absl::AnyInvocable<void()> dropped;
  MutexLock lock(state_->mu);
  const auto waiting = state_->waiting.find(id);
  if (waiting != state_->waiting.end()) {
    const auto order = state_->by_log.find(waiting->second.log);
    order->second.erase({waiting->second.after, id});
    if (order->second.empty()) state_->by_log.erase(order);
    dropped = std::move(waiting->second.callback);
    state_->waiting.erase(waiting);
    return;
  }
  const auto due = state_->due.find(id);
  if (due != state_->due.end()) {
    dropped = std::move(due->second);
    state_->due.erase(due);
    return;
  }
  while (state_->running.count(id) > 0) state_->finished.Wait(state_->mu);
}

}  // namespace kinora

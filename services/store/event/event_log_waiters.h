// EventLogWaiters keeps the callbacks of EventLog::NotifyAfter() until the logs
// have grown beyond what they wait for.

#ifndef KINORA_SERVICES_STORE_EVENT_EVENT_LOG_WAITERS_H_
#define KINORA_SERVICES_STORE_EVENT_EVENT_LOG_WAITERS_H_

#include <cstdint>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"

#include "common/threads/executor.h"

namespace kinora {

// Thread-safe. To lose no wake-up, a log publishes its new last sequence first
// and calls Notify() then, and a waiter is added first and the log's last
// sequence looked at then.
class EventLogWaiters {
 public:
  using WaiterId = uint64_t;

  // Callbacks run on `executor`, which MUST outlive this; without one they run
  // inside Notify().
  explicit EventLogWaiters(Executor* executor);

  // Drops all waiters and waits for callbacks that are running.
  ~EventLogWaiters();

  WaiterId Add(absl::string_view log, int64_t after,
               absl::AnyInvocable<void()> callback);

  // Calls every waiter of `log` whose `after` is less than `last`, once, those
  // that have waited for the earliest records first. O(1) if there is none.
  void Notify(absl::string_view log, int64_t last);

  // As EventLog::CancelNotify().
  void Cancel(WaiterId id);

 private:
  struct State;

  Executor* const executor_;
  // Shared with closures on the executor, which may run after this is gone.
  const std::shared_ptr<State> state_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_EVENT_LOG_WAITERS_H_

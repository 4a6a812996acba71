// A MemoryEventLog keeps logs in memory: for tests and for movies that need not
// outlive the process. It keeps every promise of EventLog but durability; its
// archives are names only.

#ifndef KINORA_SERVICES_STORE_EVENT_MEMORY_EVENT_LOG_H_
#define KINORA_SERVICES_STORE_EVENT_MEMORY_EVENT_LOG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

#include "common/executor.h"
#include "common/mutex.h"
#include "services/store/event/event_log.h"
#include "services/store/event/event_log_waiters.h"

namespace kinora {

// Thread-safe.
class MemoryEventLog final : public EventLog {
 public:
  // Callbacks run on `executor`, which MUST outlive the log; without one they
  // run on the appending thread, after its append.
  explicit MemoryEventLog(Executor* executor = nullptr) : waiters_(executor) {}

  absl::StatusOr<AppendedRange> Append(absl::string_view log,
                                       absl::Span<const std::string> bodies,
                                       Admit admit) override;
  absl::StatusOr<std::vector<LogRecord>> Read(absl::string_view log,
                                              int64_t after, int64_t limit,
                                              int64_t max_bytes) override;
  WaiterId NotifyAfter(absl::string_view log, int64_t after,
                       absl::AnyInvocable<void()> callback) override;
  void CancelNotify(WaiterId id) override;
  absl::StatusOr<LogExtent> Extent(absl::string_view log) override;
  absl::Status Archive(absl::string_view log, int64_t through,
                       absl::string_view archive) override;

 private:
  struct Log {
    std::vector<std::string> lines;  // of sequence 1, 2, ...
    int64_t archived_through = 0;
    absl::flat_hash_set<std::string> archives;
  };

  int64_t LastSequence(absl::string_view log) ABSL_LOCKS_EXCLUDED(mu_);

  Mutex mu_;
  absl::flat_hash_map<std::string, Log> logs_ ABSL_GUARDED_BY(mu_);

  EventLogWaiters waiters_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_MEMORY_EVENT_LOG_H_

// A MemoryEventLog keeps logs in memory: for tests and for movies that need not
// outlive the process. It keeps every promise of EventLog but durability; its
// archives are names only.

#ifndef KINORA_SERVICES_STORE_EVENT_MEMORY_EVENT_LOG_H_
#define KINORA_SERVICES_STORE_EVENT_MEMORY_EVENT_LOG_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"

#include "common/threads/executor.h"
#include "common/threads/mutex.h"
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
  absl::Status Checkpoint(absl::string_view log) override;
  absl::Status Trim(absl::string_view log, int64_t through) override;
  absl::Status Remove(absl::string_view log) override;
  absl::StatusOr<AppendedRange> Restore(
      absl::string_view log, int64_t first_sequence,
      absl::Span<const std::string> bodies) override;

 private:
  struct Archived {
    std::string name;
    int64_t last_sequence = 0;
  };
  struct Log {
    int64_t first_sequence = 1;
    std::deque<std::string> lines;   // of first_sequence and on
    std::vector<Archived> archives;  // ascending
    int64_t archived_through = 0;

    int64_t last_sequence() const {
      return first_sequence + static_cast<int64_t>(lines.size()) - 1;
    }
  };

  static AppendedRange AppendLines(absl::Span<const std::string> bodies,
                                   Log* log);

  int64_t LastSequence(absl::string_view log) ABSL_LOCKS_EXCLUDED(mu_);

  Mutex mu_;
  absl::flat_hash_map<std::string, Log> logs_ ABSL_GUARDED_BY(mu_);

  EventLogWaiters waiters_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_MEMORY_EVENT_LOG_H_

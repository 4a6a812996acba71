// AppendRequests remembers, for one log, which appends came under which request
// id and where their events went, so that a repeated append is answered and not
// done again.

#ifndef KINORA_SERVICES_STORE_EVENT_APPEND_REQUESTS_H_
#define KINORA_SERVICES_STORE_EVENT_APPEND_REQUESTS_H_

#include <atomic>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/threads/mutex.h"
#include "services/store/event/event_log.h"

namespace kinora {

// An append is remembered as long as its last event is among so many latest
// ones of the log, also by a restarted store, which reads these.
inline constexpr int64_t kRememberedEvents = 20'000;

// Thread-safe.
class AppendRequests {
 public:
  // What Begin() found: the answer if the append was done before; `busy` if the
  // same id is under way. If neither, the caller MUST append and then call
  // End().
  struct Begun {
    std::optional<AppendedRange> done;
    bool busy = false;
  };

  // Begins the append of a request id, once per id at a time: while the same id
  // is under way it waits, or without `wait` says so. Before the first answer
  // the tail of `log` is read; its errors are returned.
  absl::StatusOr<Begun> Begin(EventLog& events, absl::string_view log,
                              const std::string& request_id, bool wait);

  // Ends what Begin() began; `range` is null if the append failed.
  void End(const std::string& request_id, const AppendedRange* range);

  // Requests that are remembered now. Never waits.
  size_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  absl::Status Recover(EventLog& events, absl::string_view log)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Remember(const std::string& request_id, const AppendedRange& range)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Mutex mu_;
  CondVar ended_;
  bool recovered_ ABSL_GUARDED_BY(mu_) = false;
  absl::flat_hash_set<std::string> under_way_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<std::string, AppendedRange> done_ ABSL_GUARDED_BY(mu_);
  std::deque<std::string> oldest_first_ ABSL_GUARDED_BY(mu_);
  std::atomic<size_t> size_ = 0;  // of done_
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_APPEND_REQUESTS_H_

// AppendRequestLogs keep what is remembered of the appends to each log
// (append_requests.h), within bounds for all of them together: ledgers of runs
// that have ended are many, and nobody repeats an append to them.

#ifndef KINORA_SERVICES_STORE_EVENT_APPEND_REQUEST_LOGS_H_
#define KINORA_SERVICES_STORE_EVENT_APPEND_REQUEST_LOGS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

#include "common/threads/mutex.h"
#include "services/store/event/append_requests.h"

namespace kinora {

// Thread-safe.
class AppendRequestLogs {
 public:
  struct Limits {
    size_t logs = 1024;
    // Of all logs. Each takes some 200 bytes.
    size_t requests = 1'000'000;
  };

  explicit AppendRequestLogs(const Limits& limits) : limits_(limits) {}

  // The one memory of the log `log`, by its key. When there are too many, those
  // that were asked for longest ago are forgotten, but for those that somebody
  // holds: that costs reading the log's tail again, not a doubled append.
  std::shared_ptr<AppendRequests> Of(const std::string& log);

  // Drops the memories of logs whose keys begin with `prefix`.
  void Forget(absl::string_view prefix);

  // Requests that are remembered, of all logs.
  size_t remembered();

 private:
  struct Entry {
    std::shared_ptr<AppendRequests> requests;
    uint64_t last_use = 0;
  };

  size_t Count() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Forgets down to half of the limits, so that it is seldom called for.
  void MakeRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Limits limits_;
  Mutex mu_;
  absl::flat_hash_map<std::string, Entry> logs_ ABSL_GUARDED_BY(mu_);
  uint64_t uses_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_APPEND_REQUEST_LOGS_H_

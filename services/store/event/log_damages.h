// LogDamages remembers which logs were found damaged since the store was
// opened.

#ifndef KINORA_SERVICES_STORE_EVENT_LOG_DAMAGES_H_
#define KINORA_SERVICES_STORE_EVENT_LOG_DAMAGES_H_

#include <atomic>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

#include "common/threads/mutex.h"

namespace kinora {

// Thread-safe.
class LogDamages {
 public:
  // The first damage of a log stays.
  void Note(const std::string& log, const absl::Status& damage) {
    MutexLock lock(mu_);
    by_log_.emplace(log, damage);
    any_ = true;
  }

  void Forget(const std::string& log) {
    MutexLock lock(mu_);
    by_log_.erase(log);
    any_ = !by_log_.empty();
  }

  // The damage of a log whose key begins with `prefix`; OK if there is none, at
  // the cost of one load if there is none at all.
  absl::Status Below(absl::string_view prefix) const {
    if (!any_) return absl::OkStatus();
    MutexLock lock(mu_);
    const auto found = by_log_.lower_bound(std::string(prefix));
    if (found == by_log_.end() || !absl::StartsWith(found->first, prefix)) {
      return absl::OkStatus();
    }
    return found->second;
  }

 private:
  std::atomic<bool> any_{false};
  mutable Mutex mu_;
  std::map<std::string, absl::Status> by_log_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_LOG_DAMAGES_H_

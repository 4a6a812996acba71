#include "services/store/event/append_request_logs.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/match.h"

namespace kinora {

std::shared_ptr<AppendRequests> AppendRequestLogs::Of(const std::string& log) {
  MutexLock lock(mu_);
  if (!logs_.contains(log)) MakeRoom();
  Entry& entry = logs_[log];
  if (entry.requests == nullptr) {
    entry.requests = std::make_shared<AppendRequests>();
  }
  entry.last_use = ++uses_;
  return entry.requests;
}

void AppendRequestLogs::Forget(absl::string_view prefix) {
  MutexLock lock(mu_);
  absl::erase_if(logs_, [prefix](const auto& entry) {
    return absl::StartsWith(entry.first, prefix);
  });
}

size_t AppendRequestLogs::remembered() {
  MutexLock lock(mu_);
  return Count();
}

size_t AppendRequestLogs::Count() const {
  size_t requests = 0;
  for (const auto& entry : logs_) requests += entry.second.requests->size();
  return requests;
}

void AppendRequestLogs::MakeRoom() {
  size_t requests = Count();
  if (logs_.size() < limits_.logs && requests < limits_.requests) return;
  // A log must have one memory at a time: whoever holds one got it under the
  // lock.
  std::vector<std::pair<uint64_t, std::string>> idle;  // by last use
  for (const auto& entry : logs_) {
    if (entry.second.requests.use_count() > 1) continue;
    idle.emplace_back(entry.second.last_use, entry.first);
  }
  std::sort(idle.begin(), idle.end());
  for (const auto& oldest : idle) {
    if (logs_.size() <= limits_.logs / 2 && requests <= limits_.requests / 2) {
      break;
    }
    const auto found = logs_.find(oldest.second);
    requests -= found->second.requests->size();
    logs_.erase(found);
  }
}

}  // namespace kinora

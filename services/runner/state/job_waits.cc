#include "services/runner/state/job_waits.h"

#include <algorithm>

namespace kinora {

void JobWaits::Begin(const std::string& job_id, const JobWait& wait,
                     bool is_told) {
  MutexLock lock(mu_);
  const auto [found, is_new] = entries_.try_emplace(job_id);
  Entry& entry = found->second;
  if (!is_new && entry.wait.attempt == wait.attempt) return;
  entry = Entry{wait, is_told ? 0 : INT64_MAX};
  entry.wait.id = ++begun_;
}

bool JobWaits::IsIn(const std::string& job_id, const JobWait& wait) const {
  MutexLock lock(mu_);
  const auto found = entries_.find(job_id);
  return found != entries_.end() && found->second.wait.id == wait.id;
}

void JobWaits::End(const std::string& job_id) {
  MutexLock lock(mu_);
  entries_.erase(job_id);
}

void JobWaits::Clear() {
  MutexLock lock(mu_);
  entries_.clear();
}

void JobWaits::NoteTold(const std::string& job_id, int64_t sequence) {
  MutexLock lock(mu_);
  const auto found = entries_.find(job_id);
  if (found == entries_.end()) return;
  found->second.told = std::min(found->second.told, sequence);
}

template <typename Take>
void JobWaits::ForEach(absl::string_view job_id, Take take) const {
  if (!job_id.empty()) {
    const auto found = entries_.find(job_id);
    if (found != entries_.end()) take(found->first, found->second);
    return;
  }
  for (const auto& entry : entries_) take(entry.first, entry.second);
}

std::map<std::string, JobWait> JobWaits::Find(absl::string_view job_id) const {
  std::map<std::string, JobWait> waits;
  MutexLock lock(mu_);
  ForEach(job_id, [&waits](const std::string& id, const Entry& entry) {
    waits.emplace(id, entry.wait);
  });
  return waits;
}

std::vector<JobWait> JobWaits::ToldBefore(absl::string_view job_id,
                                          int64_t sequence) const {
  std::vector<JobWait> waits;
  MutexLock lock(mu_);
  ForEach(job_id, [&waits, sequence](const std::string&, const Entry& entry) {
    if (entry.told < sequence) waits.push_back(entry.wait);
  });
  return waits;
}

}  // namespace kinora

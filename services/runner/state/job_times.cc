#include "services/runner/state/job_times.h"

#include <algorithm>

namespace kinora {
namespace {

// Any clock will do; this one does not jump.
absl::Time TimeAt(int64_t monotonic_nanos) {
  return absl::FromUnixNanos(monotonic_nanos);
}

}  // namespace

JobTime* JobTimes::Of(JobIndex job) {
  if (state_.job_timeout(job) == absl::InfiniteDuration()) return nullptr;
  return &times_[job];
}

void JobTimes::Recall(JobIndex job, absl::Duration used) {
  if (JobTime* time = Of(job); time != nullptr) *time = JobTime(used);
}

absl::Duration JobTimes::Run(JobIndex job) {
  JobTime* time = Of(job);
  if (time == nullptr) return absl::InfiniteDuration();
  const absl::Time now = TimeAt(clock_.MonotonicNanos());
  time->Run(now);
  return std::max(kLeastAttempt, state_.job_timeout(job) - time->Used(now));
}

void JobTimes::Wait(JobIndex job, absl::Duration delay) {
  JobTime* time = Of(job);
  if (time == nullptr) return;
  time->Wait(TimeAt(clock_.MonotonicNanos()), delay);
}

absl::Duration JobTimes::Stop(JobIndex job, int64_t at_nanos) {
  JobTime* time = Of(job);
  if (time == nullptr) return absl::ZeroDuration();
  const absl::Time at = TimeAt(at_nanos);
  time->Stop(at);
  return time->Used(at);
}

}  // namespace kinora

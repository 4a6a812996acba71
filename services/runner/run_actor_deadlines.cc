// The part of RunActor that keeps jobs within the time they may take in all. It
// measures; what that means for a job the RunState decides.

#include <algorithm>

#include "services/runner/job_time.h"
#include "services/runner/run_actor.h"

namespace kinora {
namespace {

// Any clock will do; this one does not jump.
absl::Time TimeAt(int64_t monotonic_nanos) {
  return absl::FromUnixNanos(monotonic_nanos);
}

}  // namespace

// Null for a job without a limit.
JobTime* RunActor::TimeOf(JobIndex job) {
  if (state_.job_timeout(job) == absl::InfiniteDuration()) return nullptr;
  return &job_times_[job];
}

// What it has used with the processes before this one, also while nobody
// carried the run out: its producer may have been at it.
void RunActor::RecallTime(JobIndex job, PastJob* past) {
  JobTime* time = TimeOf(job);
  if (time == nullptr || !past_.has_value()) return;
  past->time_used =
      past_->TimeUsed(state_.job(job).job_id(), deps_.clock.Now());
  *time = JobTime(past->time_used);
}

// The time passes: an attempt begins, or goes on. Returns what is left.
absl::Duration RunActor::RunTime(JobIndex job) {
  JobTime* time = TimeOf(job);
  if (time == nullptr) return absl::InfiniteDuration();
  const absl::Time now = TimeAt(deps_.clock.MonotonicNanos());
  time->Run(now);
  return std::max(kLeastAttempt, state_.job_timeout(job) - time->Used(now));
}

// A failed attempt is made again after `delay`.
void RunActor::WaitTime(JobIndex job, absl::Duration delay) {
  JobTime* time = TimeOf(job);
  if (time == nullptr) return;
  time->Wait(TimeAt(deps_.clock.MonotonicNanos()), delay);
}

// It stands still. Returns what is used.
absl::Duration RunActor::StopTime(JobIndex job, int64_t at_nanos) {
  JobTime* time = TimeOf(job);
  if (time == nullptr) return absl::ZeroDuration();
  const absl::Time at = TimeAt(at_nanos);
  time->Stop(at);
  return time->Used(at);
}

}  // namespace kinora

// JobTimes keep the jobs of a run within the time they may take in all. They
// measure; what that means for a job the RunState decides.

#ifndef KINORA_SERVICES_RUNNER_STATE_JOB_TIMES_H_
#define KINORA_SERVICES_RUNNER_STATE_JOB_TIMES_H_

#include <cstdint>
#include <map>

#include "absl/time/time.h"

#include "common/clock.h"
#include "services/runner/state/job_time.h"
#include "services/runner/state/run_state.h"

namespace kinora {

// Not thread-safe. Does nothing for jobs without a limit.
class JobTimes {
 public:
  // References MUST outlive it.
  JobTimes(const RunState& state, Clock& clock)
      : state_(state), clock_(clock) {}

  // The job has used so much with processes before this one.
  void Recall(JobIndex job, absl::Duration used);

  // The time passes: an attempt begins, or goes on. Returns what is left.
  absl::Duration Run(JobIndex job);

  // A failed attempt is made again after `delay`.
  void Wait(JobIndex job, absl::Duration delay);

  // It stands still. Returns what is used.
  absl::Duration Stop(JobIndex job, int64_t at_nanos);

 private:
  // Null for a job without a limit.
  JobTime* Of(JobIndex job);

  const RunState& state_;
  Clock& clock_;
  std::map<JobIndex, JobTime> times_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_STATE_JOB_TIMES_H_

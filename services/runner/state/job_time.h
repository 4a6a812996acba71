// The time that a job may take in all, over its attempts and the waits between
// them: how much of it is used, and what is said when it is over.
//
// It passes while the job is called and while it waits to be called again after
// a failure (backoff, or what its provider asked for). It stands still while
// the job waits for something else: for its turn, a person's answer, a budget,
// a pause, or for somebody to decide about an attempt in doubt. So there is
// always some left when an attempt begins.

#ifndef KINORA_SERVICES_RUNNER_STATE_JOB_TIME_H_
#define KINORA_SERVICES_RUNNER_STATE_JOB_TIME_H_

#include <cstdint>

#include "absl/time/time.h"

#include "kinora/v1/types.pb.h"

namespace kinora {

// With less than this left nothing is called any more. It is also by how much
// the clock of a call may differ from the one that measures it.
inline constexpr absl::Duration kLeastAttempt = absl::Milliseconds(50);

// A JobTime measures what one job has used. It has no clock: all times are of
// one and the same, whichever that is. One that goes back does not count.
// Not thread-safe.
class JobTime {
 public:
  JobTime() = default;
  // For a job that has used so much already.
  explicit JobTime(absl::Duration used) : before_(used) {}

  // Time passes from now on: an attempt begins, or goes on with its answer.
  void Run(absl::Time at) { Pass(at, absl::InfiniteFuture()); }
  // An attempt has failed; time passes until the next one is due, or begins.
  void Wait(absl::Time at, absl::Duration delay) { Pass(at, at + delay); }
  // It stands still from now on.
  void Stop(absl::Time at);

  absl::Duration Used(absl::Time now) const;

 private:
  void Pass(absl::Time from, absl::Time until);

  absl::Duration before_;
  // What passes now.
  absl::Time from_ = absl::InfiniteFuture();
  absl::Time until_ = absl::InfiniteFuture();
};

// Why a job has failed whose `timeout` is over after so many attempts, of which
// the last one failed as `last` says (empty if that is not known). `early`: it
// will be over when the next attempt is due.
v1::Failure JobTimeoutFailure(v1::Failure last, absl::Duration timeout,
                              uint32_t attempts, bool early);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_STATE_JOB_TIME_H_

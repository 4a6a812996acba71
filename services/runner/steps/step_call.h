// One ExecuteLayer or ExecuteJob, from its arrival to its answer.

#ifndef KINORA_SERVICES_RUNNER_STEPS_STEP_CALL_H_
#define KINORA_SERVICES_RUNNER_STEPS_STEP_CALL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "common/telemetry/trace_context.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"
#include "kinora/v1/run_record.pb.h"
#include "kinora/v1/runner.pb.h"
#include "services/runner/actor/run_actor.h"

namespace kinora {

struct StepRequest {
  std::string movie_id;
  std::string plan_hash;
  std::string run_id;
  v1::LeaseToken lease;
  std::optional<uint32_t> layer;  // else it is one job
  std::string job_id;
  std::optional<absl::Duration> timeout;
};

StepRequest StepRequestOf(const v1::ExecuteLayerRequest& request);
// INVALID_ARGUMENT if there is a timeout that is not positive.
absl::StatusOr<StepRequest> StepRequestOf(const v1::ExecuteJobRequest& request);

// Thread-safe.
class StepCall {
 public:
  // What became of the jobs, in the order of the layer.
  using Answer = absl::StatusOr<std::vector<v1::JobState>>;

  // `done` is called once, from any thread, with no lock held.
  StepCall(StepRequest request, TraceContext trace,
           absl::AnyInvocable<void(Answer)> done);

  const StepRequest& request() const { return request_; }
  const TraceContext& trace() const { return trace_; }

  // Calls the attempts off, at their producers, and lets the call end soon:
  // jobs that have not ended failed for `why`. Only the first call counts.
  void Cancel(const v1::Failure& why);

  // For the runner's own end: starts nothing further; lets attempts end or, if
  // `now`, cancels them. What has not ended stays open.
  void Stop(bool now);

  // Cuts the wait before the next attempt of a job short, or of all jobs if
  // `job_id` is empty. See RunActor::Retry().
  absl::StatusOr<std::vector<std::string>> Retry(const std::string& job_id);

  // Lets it look into the ledger for answers. See RunActor::Heed().
  void Heed();

  // The runner may have lost its claim on the jobs: attempts are cancelled now,
  // and the call ends as UNAVAILABLE as soon as the store lets it.
  void LoseClaim();

  // What follows is the runner's.

  // `wake` is called when the call is cancelled or stopped, which may end a
  // wait; it MUST NOT call back. `timer` goes with the call; 0 for none.
  void Begin(Executor& executor, Executor::TimerId timer,
             absl::AnyInvocable<void()> wake);

  // Why the call is not to begin anything; OK if it may, or if its time has
  // passed.
  absl::Status MayGoOn() const;
  // Set once the time has passed.
  std::optional<v1::Failure> TimedOut() const;

  // A call that waits is taken up again by whoever ends the wait: only one
  // caller is told true.
  void Wait();
  bool EndWait();

  // The actor at work for the call; it is cancelled or stopped if the call was.
  void Attach(std::shared_ptr<RunActor> actor);

  // Answers, once; further answers are dropped.
  void Finish(Answer answer);

 private:
  const StepRequest request_;
  const TraceContext trace_;

  mutable Mutex mu_;
  absl::AnyInvocable<void(Answer)> done_ ABSL_GUARDED_BY(mu_);
  absl::AnyInvocable<void()> wake_ ABSL_GUARDED_BY(mu_);
  Executor* executor_ ABSL_GUARDED_BY(mu_) = nullptr;
  Executor::TimerId timer_ ABSL_GUARDED_BY(mu_) = 0;
  std::optional<v1::Failure> cancelled_ ABSL_GUARDED_BY(mu_);
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  bool stopped_now_ ABSL_GUARDED_BY(mu_) = false;
  bool waiting_ ABSL_GUARDED_BY(mu_) = false;
  bool claim_lost_ ABSL_GUARDED_BY(mu_) = false;
  std::shared_ptr<RunActor> actor_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_STEPS_STEP_CALL_H_

// What a runner keeps in memory of a run whose caller executes its steps: the
// plan, what the ledger says so far, and which jobs are under way here. All of
// it can be had from the store again.

#ifndef KINORA_SERVICES_RUNNER_STEPS_STEPWISE_RUN_H_
#define KINORA_SERVICES_RUNNER_STEPS_STEPWISE_RUN_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "common/threads/mutex.h"
#include "kinora/v1/plan.pb.h"
#include "services/runner/past/run_past.h"
#include "services/runner/steps/job_claims.h"
#include "services/runner/steps/plan_parts.h"
#include "services/runner/steps/step_call.h"
#include "services/store/event/event_store.h"

namespace kinora {

// Thread-safe.
class StepwiseRun {
 public:
  StepwiseRun(std::string run_id, std::string plan_hash,
              std::shared_ptr<const v1::Plan> plan);

  const std::string& plan_hash() const { return plan_hash_; }
  const PlanParts& parts() const { return parts_; }

  // What the run has come to, failures forgotten: who calls a failed job again
  // wants it tried anew. Reads only what was appended since the last call.
  absl::StatusOr<RunPast> Past(EventStore& events);

  // As Past(), but shows it without a copy, and failures as they are. `look`
  // MUST be short: others wait for it.
  absl::Status Look(EventStore& events,
                    absl::FunctionRef<void(const RunPast&)> look);

  // As Past(), for those who ask for claims.
  absl::Status CatchUp(EventStore& events);
  // As of the last of these two, see JobClaims.
  std::set<std::string> ClaimedBefore(const std::string& call,
                                      const std::vector<std::string>& jobs);
  void ForgetClaims(const std::string& call,
                    const std::vector<std::string>& jobs);

  // True, and the jobs are the call's until Release(), if none of them is
  // another call's. Else the call waits: a Release() returns it.
  bool Claim(const std::vector<std::string>& jobs,
             const std::shared_ptr<StepCall>& call);

  // Returns the calls that wait for jobs, which may try again.
  std::vector<std::shared_ptr<StepCall>> Release(
      const std::vector<std::string>& jobs);

  // The call has ended, waiting or not, and is kept no longer.
  void StopWaiting(const std::shared_ptr<StepCall>& call);

  // Of the calls that wait, those for one of these jobs alone: they are done,
  // though they are another call's still.
  std::vector<std::shared_ptr<StepCall>> WaitingFor(
      const std::set<std::string>& jobs);

 private:
  absl::Status Read(EventStore& events) ABSL_EXCLUSIVE_LOCKS_REQUIRED(past_mu_);

  const std::string run_id_;
  const std::string plan_hash_;
  const PlanParts parts_;

  Mutex past_mu_;  // held while the ledger is read: each reader needs all of it
  RunPast past_ ABSL_GUARDED_BY(past_mu_);
  JobClaims claims_ ABSL_GUARDED_BY(past_mu_);
  int64_t read_through_ ABSL_GUARDED_BY(past_mu_) = 0;

  Mutex mu_;
  std::set<std::string> under_way_ ABSL_GUARDED_BY(mu_);
  std::vector<std::shared_ptr<StepCall>> waiting_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_STEPS_STEPWISE_RUN_H_

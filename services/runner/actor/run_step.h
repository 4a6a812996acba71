// What a RunActor has beyond a run where it carries out a step of one.

#ifndef KINORA_SERVICES_RUNNER_ACTOR_RUN_STEP_H_
#define KINORA_SERVICES_RUNNER_ACTOR_RUN_STEP_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"

#include "kinora/v1/run_record.pb.h"
#include "kinora/v1/types.pb.h"
#include "services/runner/actor/lease_keeper.h"
#include "services/runner/state/run_state.h"

namespace kinora {

struct RunStep {
  // What became of each job of the step, in the order of the state.
  using Ended =
      absl::AnyInvocable<void(absl::StatusOr<std::vector<v1::JobState>>)>;
  // Jobs that the ledger says are done, while others of the step go on.
  using Done = absl::AnyInvocable<void(const std::set<std::string>&)>;

  std::string call;                    // new for every step
  std::shared_ptr<LeaseKeeper> claim;  // keeps other runners from its jobs
  Done on_done;                        // MUST NOT block
  // Called once, with an error if the step could not be carried out.
  Ended on_ended;

  // The actor's own.
  std::set<std::string> done = {};  // and on_done has not heard of it
  v1::Failure cancelled = {};
  std::map<JobIndex, v1::Failure> failures = {};
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_ACTOR_RUN_STEP_H_

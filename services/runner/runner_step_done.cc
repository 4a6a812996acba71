// The part of Runner that answers for jobs which are done, while the call that
// has them carries out others still. Where nobody has them a call looks for
// their results itself, and has those made anew that are lost.

#include <map>
#include <string>

#include "common/status.h"
#include "services/runner/run_past.h"
#include "services/runner/runner.h"
#include "services/runner/runner_step.h"

namespace kinora {
namespace {

v1::JobState Reused(const std::string& job_id) {
  v1::JobState state;
  state.set_job_id(job_id);
  state.set_status("skipped");
  state.set_detail("reused");
  return state;
}

}  // namespace

absl::StatusOr<bool> Runner::AreDone(Step* step) {
  // As of now: one may have ended while the call was on its way to wait.
  KINORA_ASSIGN_OR_RETURN(const RunPast past,
                          step->run->Past(deps_.store.events));
  std::map<std::string, v1::JobState> states;
  for (const std::string& id : step->claimed) {
    if (past.Told(id, JobStatus::kReused)) {
      states[id] = Reused(id);
    } else if (past.Told(id, JobStatus::kSucceeded)) {
      states[id].set_job_id(id);
      states[id].set_status("completed");
    } else {
      return false;
    }
    states[id].set_attempts(past.Of(id).attempts);
  }
  step->states.merge(states);
  TakeReused(step);
  return true;
}

// What the plan reuses is nobody's to carry out.
void Runner::TakeReused(Step* step) {
  for (const std::string& id : step->job_ids) {
    if (step->run->parts().IsReused(id)) step->states[id] = Reused(id);
  }
}

}  // namespace kinora

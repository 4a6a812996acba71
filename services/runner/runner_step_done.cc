// The part of Runner that answers for jobs which are done, while the call that
// has them carries out others still. Where nobody has them a call looks for
// their results itself, and has those made anew that are lost.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/status.h"
#include "services/runner/past/run_past.h"
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

// The states of jobs all of which are done; nothing if one is not.
std::optional<std::map<std::string, v1::JobState>> StatesOfDone(
    const std::vector<std::string>& ids, const RunPast& past) {
  std::map<std::string, v1::JobState> states;
  for (const std::string& id : ids) {
    if (past.Told(id, JobStatus::kReused)) {
      states[id] = Reused(id);
    } else if (past.Told(id, JobStatus::kSucceeded)) {
      states[id].set_job_id(id);
      states[id].set_status("completed");
    } else {
      return std::nullopt;
    }
    states[id].set_attempts(past.Of(id).attempts);
  }
  return states;
}

}  // namespace

absl::StatusOr<bool> Runner::AreDone(Step* step) {
  // As of now: one may have ended while the call was on its way to wait.
  std::optional<std::map<std::string, v1::JobState>> states;
  KINORA_RETURN_IF_ERROR(
      step->run->Look(deps_.store.events, [&](const RunPast& past) {
        states = StatesOfDone(step->claimed, past);
      }));
  if (!states.has_value()) return false;
  step->states.merge(*states);
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

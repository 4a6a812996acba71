// The child runs of a run record: what its stages started elsewhere.

#ifndef KINORA_SERVICES_RUNNER_RECORD_CHILD_RUNS_H_
#define KINORA_SERVICES_RUNNER_RECORD_CHILD_RUNS_H_

#include <optional>

#include "common/json/json.h"

namespace kinora {

// The child run that `stage.metadata.worker` tells of; nothing if there is no
// such worker or it has no id. Its members, of which those without a value are
// left out from parent_stage_id on, but for task, status and started_at:
//   worker_id, worker_name    id; name, or `worker`
//   parent_stage_id           the stage's id
//   session_id, parent_session_id, mutation_scope, approval_policy   of `audit`
//   task                      or ""
//   request, provenance       any JSON
//   status                    or `completed`
//   started_at                or ""
//   finished_at, snapshot_path
//   run_id, run_path          child_run_id, child_run_path
//   execution
// An approval policy or an execution that is none is left out.
std::optional<JsonValue> ChildRunOf(const JsonValue& stage);

// Brings the `child_runs` of a record up to its stages, in their order. The
// child run of a worker that is known gets what it has not, and nothing it has
// is changed: of a text "" counts as missing where an empty one says nothing
// (worker_name, task, status, started_at). One of a new worker comes to the
// end. Idempotent. REQUIRES: an object.
void AddChildRuns(JsonValue& document);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RECORD_CHILD_RUNS_H_

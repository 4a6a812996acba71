// What a step must be to be carried out, and what is said of it if it cannot
// be. Pure.

#ifndef KINORA_SERVICES_RUNNER_STEP_CHECKS_H_
#define KINORA_SERVICES_RUNNER_STEP_CHECKS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "kinora/v1/plan.pb.h"
#include "kinora/v1/run_record.pb.h"
#include "services/runner/steps/plan_parts.h"
#include "services/runner/steps/step_call.h"

namespace kinora {

// INVALID_ARGUMENT naming a field that is malformed, or a lease that is not the
// movie's.
absl::Status CheckStep(const StepRequest& request);

// FAILED_PRECONDITION if the run is another one's, or (RUN_TERMINAL) has ended.
absl::Status CheckStepRecord(const StepRequest& request,
                             const v1::RunRecord& record);

// The ids of the jobs that are asked for, in order; those that the plan reuses
// among them. INVALID_ARGUMENT naming a layer, NOT_FOUND naming a job that the
// plan does not have.
absl::StatusOr<std::vector<std::string>> JobsOfStep(const StepRequest& request,
                                                    const PlanParts& parts);

// The record of the run that the step begins, without times.
v1::RunRecord NewStepRecord(const StepRequest& request, const v1::Plan& plan);

// That a job reads what its run has not made.
v1::Failure Unresolved(const v1::PlannedJob& job,
                       const std::string& artefact_id);

v1::JobState FailedJob(const std::string& job_id, const v1::Failure& failure);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_STEP_CHECKS_H_

#include "services/runner/step_checks.h"

#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/ids.h"
#include "common/run_end.h"
#include "common/status.h"
#include "services/runner/start_slot.h"

namespace kinora {

absl::Status CheckStep(const StepRequest& request) {
  KINORA_RETURN_IF_ERROR(ValidateMovieId(request.movie_id));
  KINORA_RETURN_IF_ERROR(ValidateRunId(request.run_id));
  const absl::StatusOr<Digest> hash = Digest::ParseHex(request.plan_hash);
  if (!hash.ok()) {
    return InvalidField("plan_hash", request.plan_hash,
                        hash.status().message());
  }
  const std::string lease_id = LeaseIdOf(request.movie_id);
  if (request.lease.lease_id() == lease_id) return absl::OkStatus();
  return InvalidField("lease.lease_id", request.lease.lease_id(),
                      absl::StrCat("must be ", lease_id));
}

absl::StatusOr<std::vector<std::string>> JobsOfStep(const StepRequest& request,
                                                    const PlanParts& parts) {
  std::vector<std::string> ids;
  const v1::Plan& plan = parts.plan();
  if (!request.layer.has_value()) {
    if (parts.Find(request.job_id) == nullptr &&
        !parts.IsReused(request.job_id)) {
      return absl::NotFoundError(absl::StrCat(
          "plan ", request.plan_hash, " has no job \"", request.job_id, "\"",
          plan.deferred().empty()
              ? ""
              : absl::StrCat(": it defers node ", plan.deferred(0).node(),
                             " and what reads from it; execute what it has, "
                             "then plan again")));
    }
    ids.push_back(request.job_id);
    return ids;
  }
  const int layers = plan.layers_size();
  if (layers == 0 && *request.layer == 0) return ids;
  if (*request.layer >= static_cast<uint32_t>(layers)) {
    return InvalidField(
        "layer", absl::StrCat(*request.layer),
        absl::StrCat("the plan has ", layers, " layers, counted from 0"));
  }
  for (const v1::PlannedJob& job :
       plan.layers(static_cast<int>(*request.layer)).jobs()) {
    ids.push_back(job.job_id());
  }
  return ids;
}

v1::RunRecord NewStepRecord(const StepRequest& request, const v1::Plan& plan) {
  v1::RunRecord record;
  record.set_run_id(request.run_id);
  record.set_movie_id(request.movie_id);
  record.set_plan_hash(request.plan_hash);
  record.set_target_revision(plan.target_revision());
  record.set_manifest_base_hash(plan.manifest_base_hash());
  record.set_stepwise(true);
  record.set_status(v1::RUN_STATUS_RUNNING);
  int64_t jobs = plan.reused_size();
  for (const v1::PlanLayer& layer : plan.layers()) jobs += layer.jobs_size();
  record.mutable_jobs()->set_total(jobs);
  record.mutable_jobs()->set_clean(plan.summary().clean_jobs());
  return record;
}

absl::Status CheckStepRecord(const StepRequest& request,
                             const v1::RunRecord& record) {
  if (record.movie_id() != request.movie_id ||
      record.plan_hash() != request.plan_hash) {
    return absl::FailedPreconditionError(absl::StrCat(
        "run ", request.run_id, " carries out plan ", record.plan_hash(),
        " of movie \"", record.movie_id(), "\", not plan ", request.plan_hash,
        " of movie \"", request.movie_id, "\": take a new run id"));
  }
  if (!record.stepwise()) {
    return absl::FailedPreconditionError(
        absl::StrCat("run ", request.run_id,
                     " is carried out by a runner: take a new run id"));
  }
  if (IsTerminal(record.status())) return RunHasEnded(request.run_id);
  return absl::OkStatus();
}

v1::Failure Unresolved(const v1::PlannedJob& job,
                       const std::string& artefact_id) {
  v1::Failure failure;
  failure.set_reason(v1::FAILURE_REASON_INPUT_UNRESOLVED);
  failure.set_message(absl::StrCat(
      "INPUT_UNRESOLVED: job ", job.job_id(), " reads ", artefact_id,
      ", which has no result in this run: execute the layers before"));
  return failure;
}

v1::JobState FailedJob(const std::string& job_id, const v1::Failure& failure) {
  v1::JobState state;
  state.set_job_id(job_id);
  state.set_status("failed");
  state.set_detail(failure.message());
  *state.mutable_failure() = failure;
  return state;
}

}  // namespace kinora

// The part of Runner that has jobs called again without waiting any longer.

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/ids.h"
#include "common/run_end.h"
#include "common/status.h"
#include "services/runner/past/run_past.h"
#include "services/runner/run_lease.h"
#include "services/runner/runner.h"
#include "services/runner/start_slot.h"

namespace kinora {

absl::StatusOr<v1::RetryRunResponse> Runner::Retry(
    const v1::RetryRunRequest& request) {
  KINORA_RETURN_IF_ERROR(ValidateRunId(request.run_id()));
  KINORA_ASSIGN_OR_RETURN(std::vector<std::string> job_ids, AskAgain(request));
  if (job_ids.empty() && !request.job_id().empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("job_id: \"", request.job_id(), "\" of run ",
                     request.run_id(), " does not wait for an attempt"));
  }
  v1::RetryRunResponse response;
  for (std::string& id : job_ids) response.add_job_ids(std::move(id));
  return response;
}

absl::StatusOr<std::vector<std::string>> Runner::AskAgain(
    const v1::RetryRunRequest& request) {
  while (const auto actor = ActorOf(request.run_id())) {
    absl::StatusOr<std::vector<std::string>> job_ids =
        actor->Retry(request.job_id());
    if (job_ids.ok()) return job_ids;
    // One that has lost its lease is another runner's; one that has just begun
    // to end is waited for.
    if (ReasonOf(job_ids.status()) == "LEASE_LOST") break;
    if (!actor->closing()) return job_ids;
  }
  return RetryElsewhere(request);
}

// Of a run that another runner carries out, or nobody now: whoever has it, or
// adopts it, finds the request. So does each call of a stepwise run, also one
// that its caller makes later; calls of this runner need not read of it.
absl::StatusOr<std::vector<std::string>> Runner::RetryElsewhere(
    const v1::RetryRunRequest& request) {
  KINORA_ASSIGN_OR_RETURN(const v1::RunRecord record,
                          RecordOf(request.run_id()));
  if (IsTerminal(record.status())) return RunHasEnded(request.run_id());
  if (IsQueued(record)) return std::vector<std::string>();
  KINORA_ASSIGN_OR_RETURN(const std::set<std::string> here,
                          RetryStepsHere(request));
  if (!request.job_id().empty() && !here.empty()) {
    return std::vector<std::string>(here.begin(), here.end());
  }
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<RunLease> lease,
                          RunLease::Take(*this, request.run_id()));
  std::vector<std::string> job_ids;
  KINORA_RETURN_IF_ERROR(
      Ask(record, lease->token(),
          [&](const RunPast& past) -> std::optional<v1::LedgerEvent> {
            job_ids = past.AwaitingAttempt(request.job_id());
            job_ids.erase(std::remove_if(job_ids.begin(), job_ids.end(),
                                         [&here](const std::string& id) {
                                           return here.count(id) > 0;
                                         }),
                          job_ids.end());
            if (job_ids.empty()) return std::nullopt;
            return RetryRequest(request.job_id());
          }));
  job_ids.insert(job_ids.end(), here.begin(), here.end());
  std::sort(job_ids.begin(), job_ids.end());
  return job_ids;
}

absl::StatusOr<std::set<std::string>> Runner::RetryStepsHere(
    const v1::RetryRunRequest& request) {
  std::vector<std::shared_ptr<StepCall>> calls;
  {
    MutexLock lock(mu_);
    for (const std::shared_ptr<StepCall>& call : steps_) {
      if (call->request().run_id == request.run_id()) calls.push_back(call);
    }
  }
  std::set<std::string> ids;
  for (const std::shared_ptr<StepCall>& call : calls) {
    const absl::StatusOr<std::vector<std::string>> of_call =
        call->Retry(request.job_id());
    // One whose caller's lease has passed on, or that ends, calls nothing more.
    if (ReasonOf(of_call.status()) == "LEASE_LOST" ||
        absl::IsUnavailable(of_call.status())) {
      continue;
    }
    KINORA_RETURN_IF_ERROR(of_call.status());
    ids.insert(of_call->begin(), of_call->end());
  }
  return ids;
}

}  // namespace kinora

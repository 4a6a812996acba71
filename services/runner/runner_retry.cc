// The part of Runner that has jobs called again without waiting any longer.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/ids.h"
#include "common/run_end.h"
#include "common/status.h"
#include "services/runner/run_lease.h"
#include "services/runner/run_past.h"
#include "services/runner/runner.h"
#include "services/runner/start_slot.h"

namespace kinora {

absl::StatusOr<v1::RetryRunResponse> Runner::Retry(
    const v1::RetryRunRequest& request) {
  KINORA_RETURN_IF_ERROR(ValidateRunId(request.run_id()));
  std::vector<std::string> job_ids;
  if (const auto actor = ActorOf(request.run_id()); actor != nullptr) {
    job_ids = actor->Retry(request.job_id());
  } else {
    KINORA_ASSIGN_OR_RETURN(job_ids, RetryElsewhere(request));
  }
  if (job_ids.empty() && !request.job_id().empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("job_id: \"", request.job_id(), "\" of run ",
                     request.run_id(), " does not wait for an attempt"));
  }
  v1::RetryRunResponse response;
  for (std::string& id : job_ids) response.add_job_ids(std::move(id));
  return response;
}

// Of a run that another runner carries out, or nobody now: whoever has it, or
// adopts it, finds the request.
absl::StatusOr<std::vector<std::string>> Runner::RetryElsewhere(
    const v1::RetryRunRequest& request) {
  KINORA_ASSIGN_OR_RETURN(const v1::RunRecord record,
                          RecordOf(request.run_id()));
  if (IsTerminal(record.status())) return RunHasEnded(request.run_id());
  if (record.stepwise()) return RetrySteps(request);
  if (IsQueued(record)) return std::vector<std::string>();
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<RunLease> lease,
                          RunLease::Take(*this, request.run_id()));
  std::vector<std::string> job_ids;
  KINORA_RETURN_IF_ERROR(
      Ask(record, lease->token(),
          [&](const RunPast& past) -> std::optional<v1::LedgerEvent> {
            job_ids = past.AwaitingAttempt(request.job_id());
            if (job_ids.empty()) return std::nullopt;
            v1::LedgerEvent event;
            event.mutable_job()->set_type("retry");
            event.mutable_job()->set_job_id(request.job_id());
            event.mutable_job()->set_message("asked for by somebody");
            return event;
          }));
  return job_ids;
}

}  // namespace kinora

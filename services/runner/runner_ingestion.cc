// The part of Runner that takes what outside workers report of a run, be it
// carried out here, in another runner, by its caller, or over.
//
// Who reports holds the lease on the run for that moment, so that two reports
// to one run never meet, at whichever runners; a runner that dies meanwhile
// leaves the whole report in the ledger, or nothing of it. What is new in a
// report is found by the ledger alone, so that it may be sent again to any
// runner. Only whoever carries the run out appends beside it: the report comes
// right behind what it was held against, or, where that does not stop writing,
// without numbers of its lines, which readers then count by themselves.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/run_end.h"
#include "common/status.h"
#include "services/runner/past/careful_tries.h"
#include "services/runner/past/reported_runs.h"
#include "services/runner/run_lease.h"
#include "services/runner/runner.h"
#include "services/store/event/ledger_log.h"

namespace kinora {
namespace {

v1::AppendEventsRequest AppendOf(const v1::RunRecord& record,
                                 const v1::LeaseToken& lease,
                                 std::vector<v1::LedgerEvent> events) {
  v1::AppendEventsRequest append;
  *append.mutable_log() = LedgerLog(record.movie_id(), record.run_id());
  *append.mutable_lease() = lease;
  for (v1::LedgerEvent& event : events) {
    *append.add_events()->mutable_ledger() = std::move(event);
  }
  return append;
}

// Lines without numbers are counted by whoever reads them. Without lines the
// number is all that an event tells.
void ForgetNumbers(v1::AppendEventsRequest* append) {
  for (v1::Event& event : *append->mutable_events()) {
    v1::LedgerEvent* ledger = event.mutable_ledger();
    if (!ledger->has_log_appended()) continue;
    if (ledger->log_appended().lines().empty()) continue;
    ledger->mutable_log_appended()->clear_first_seq();
  }
}

}  // namespace

absl::StatusOr<v1::IngestLedgerEventsResponse> Runner::Ingest(
    const v1::IngestLedgerEventsRequest& request) {
  // There is no such run, perhaps; then nothing is kept of it.
  KINORA_RETURN_IF_ERROR(RecordOf(request.run_id()).status());
  const std::shared_ptr<ReportedRuns::Known> known =
      reported_.Find(request.run_id());
  MutexLock one(known->mu);
  ReportedRuns::State& state = known->state;
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<RunLease> lease,
                          RunLease::Take(*this, request.run_id()));
  KINORA_ASSIGN_OR_RETURN(const v1::RunRecord record,
                          RecordOf(request.run_id()));
  v1::IngestLedgerEventsResponse response;
  for (int careful = kCarefulTries;; --careful) {
    KINORA_RETURN_IF_ERROR(reported_.CatchUp(record, &state));
    reported_.Keep(request.run_id(), known, state.run->weight());
    KINORA_ASSIGN_OR_RETURN(std::vector<v1::LedgerEvent> events,
                            state.run->Take(request, NowMillis(deps_.clock)));
    response.set_last_sequence(state.through);
    response.set_appended(static_cast<int32_t>(events.size()));
    if (events.empty()) return response;
    v1::AppendEventsRequest append =
        AppendOf(record, lease->token(), std::move(events));
    // So that a client of the store that lost the answer appends once.
    append.set_request_id(absl::StrCat(request.run_id(), "/",
                                       lease->token().fencing_token(),
                                       "/report/", careful));
    if (careful > 0) {
      append.set_expected_sequence(state.through);
    } else {
      ForgetNumbers(&append);
    }
    const absl::StatusOr<v1::AppendEventsResponse> appended =
        AppendAndTell(append);
    if (careful > 0 && ReasonOf(appended.status()) == "SEQUENCE_MISMATCH") {
      continue;
    }
    KINORA_RETURN_IF_ERROR(appended.status());
    response.set_last_sequence(appended->last_sequence());
    return response;
  }
}

absl::StatusOr<bool> Runner::HasEnded(const std::string& run_id) {
  KINORA_ASSIGN_OR_RETURN(const v1::RunRecord record, RecordOf(run_id));
  if (IsTerminal(record.status())) return true;
  KINORA_ASSIGN_OR_RETURN(const v1::RunStatus status,
                          reductions_.StatusOf(record));
  return IsTerminal(status);
}

}  // namespace kinora

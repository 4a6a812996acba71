// The part of Runner that cancels runs: one that is carried out here is told,
// one that is not is asked by an event in its ledger, and what nobody carries
// out is ended.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/ids.h"
#include "common/run_end.h"
#include "common/status.h"
#include "services/runner/past/careful_tries.h"
#include "services/runner/past/run_end_watch.h"
#include "services/runner/past/run_past.h"
#include "services/runner/run_lease.h"
#include "services/runner/runner.h"
#include "services/runner/start_slot.h"
#include "services/store/event/ledger_log.h"

namespace kinora {
namespace {

// It is in the ledger, the record and every list of runs.
constexpr size_t kMaxReasonBytes = 1024;
// A dead runner's lease lasts some seconds, and its run is adopted soon then.
constexpr absl::Duration kPatience = absl::Seconds(20);

// True if some job has not come to its end in the ledger: it is under way, or
// waits for its next attempt, a person or money. Whoever carries the run out
// tells that end, and looks at the ledger behind it.
bool HasOpenJob(const RunPast& past) {
  return !past.Interrupted().empty() ||
         !past.AwaitingAttempt(/*job_id=*/"").empty() ||
         !past.questions().Pending().empty();
}

absl::Status NotEndedYet(const std::string& run_id) {
  return absl::UnavailableError(absl::StrCat(
      "run ", run_id,
      " is asked to end as cancelled, but may have been about to end by "
      "itself, and has not ended yet: cancel it again, or look at it"));
}

absl::StatusOr<v1::CancelRunResponse> AnswerOf(const absl::Status& status) {
  if (!status.ok()) return status;
  return v1::CancelRunResponse();
}

}  // namespace

void Runner::Cancel(const v1::CancelRunRequest& request, Cancelled done) {
  const absl::StatusOr<std::optional<v1::RunRecord>> unsure = AskToEnd(request);
  if (!unsure.ok() || !unsure->has_value()) {
    return done(AnswerOf(unsure.status()));
  }
  AwaitCancelled(**unsure, std::move(done));
}

absl::StatusOr<v1::CancelRunResponse> Runner::Cancel(
    const v1::CancelRunRequest& request) {
  struct Slot {
    Mutex mu;
    CondVar cv;
    std::optional<absl::StatusOr<v1::CancelRunResponse>> answer
        ABSL_GUARDED_BY(mu);
  };
  const auto slot = std::make_shared<Slot>();
  Cancel(request, [slot](absl::StatusOr<v1::CancelRunResponse> answer) {
    MutexLock lock(slot->mu);
    slot->answer = std::move(answer);
    slot->cv.SignalAll();
  });
  MutexLock lock(slot->mu);
  while (!slot->answer.has_value()) slot->cv.Wait(slot->mu);
  return *slot->answer;
}

absl::StatusOr<std::optional<v1::RunRecord>> Runner::AskToEnd(
    const v1::CancelRunRequest& request) {
  KINORA_RETURN_IF_ERROR(ValidateRunId(request.run_id()));
  if (request.reason().size() > kMaxReasonBytes) {
    return InvalidField("reason", request.reason(),
                        absl::StrCat("at most ", kMaxReasonBytes, " bytes"));
  }
  while (const auto actor = ActorOf(request.run_id())) {
    const absl::Status cancelled = actor->Cancel(request.reason());
    if (cancelled.ok()) return std::nullopt;
    // One that has just begun to end is waited for; one that has lost its lease
    // is another runner's.
    if (ReasonOf(cancelled) == "LEASE_LOST") break;
    if (!actor->closing()) return cancelled;
  }
  return CancelElsewhere(request.run_id(), request.reason().empty()
                                               ? "cancelled by request"
                                               : request.reason());
}

absl::StatusOr<std::optional<v1::RunRecord>> Runner::CancelElsewhere(
    const std::string& run_id, const std::string& reason) {
  KINORA_ASSIGN_OR_RETURN(const v1::RunRecord record, RecordOf(run_id));
  if (IsTerminal(record.status())) return RunHasEnded(run_id);
  if (IsQueued(record)) return RequestCancel(run_id, reason);
  // Nobody's, or another runner's, which then holds the lease.
  const std::string& movie_id = record.movie_id();
  absl::StatusOr<std::unique_ptr<StartSlot>> slot =
      StartSlot::Take(*this, movie_id);
  if (ReasonOf(slot.status()) == "RUN_ACTIVE") {
    return RequestCancel(run_id, reason);
  }
  KINORA_RETURN_IF_ERROR(slot.status());
  const absl::StatusOr<v1::LeaseToken> lease = TryAcquire(movie_id, run_id);
  if (ReasonOf(lease.status()) == "LEASE_HELD" && !record.stepwise()) {
    slot->reset();  // whoever holds it may be dead, and this runner adopts it
    return RequestCancel(run_id, reason);
  }
  KINORA_RETURN_IF_ERROR(lease.status());
  const absl::Status closed = CloseRun(record, *lease, reason);
  Release(*lease);
  LookAtQueue(movie_id);
  KINORA_RETURN_IF_ERROR(closed);
  return std::nullopt;
}

absl::StatusOr<std::optional<v1::RunRecord>> Runner::RequestCancel(
    const std::string& run_id, const std::string& reason) {
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<RunLease> lease,
                          RunLease::Take(*this, run_id));
  KINORA_ASSIGN_OR_RETURN(v1::RunRecord record, RecordOf(run_id));
  if (IsQueued(record)) {
    KINORA_RETURN_IF_ERROR(
        EndQueued(record, lease->token(), v1::RUN_STATUS_CANCELLED, reason));
    return std::nullopt;
  }
  int tries = 0;
  bool is_heeded = false;  // sure to be
  const auto cancel =
      [&](const RunPast& past) -> std::optional<v1::LedgerEvent> {
    is_heeded = ++tries <= kCarefulTries && HasOpenJob(past);
    if (past.cancel_reason().has_value()) return std::nullopt;
    v1::LedgerEvent event;
    event.mutable_run_waiting()->set_reason(std::string(kCancelling));
    event.mutable_run_waiting()->set_message(reason);
    return event;
  };
  KINORA_RETURN_IF_ERROR(Ask(record, lease->token(), cancel));
  if (is_heeded || record.stepwise()) return std::nullopt;
  return record;
}

// The run may have looked at its ledger for the last time before it was asked,
// and publish what it has made: what it has come to is the answer.
void Runner::AwaitCancelled(const v1::RunRecord& record, Cancelled done) {
  const std::string& run_id = record.run_id();
  const absl::StatusOr<v1::RunSnapshot> run = reductions_.Reduce(record);
  if (!run.ok()) return done(run.status());
  const v1::RunStatus status = run->record().status();
  if (IsTerminal(status)) {
    return done(AnswerOf(status == v1::RUN_STATUS_CANCELLED
                             ? absl::OkStatus()
                             : RunHasEnded(run_id)));
  }
  {
    MutexLock lock(mu_);
    if (!draining_) {
      const uint64_t id = ++last_end_watch_;
      end_watches_[id] = RunEndWatch::Start(
          deps_.store.events, deps_.executor,
          LedgerLog(record.movie_id(), run_id), run->last_sequence(), kPatience,
          [this, id, run_id, done = std::move(done)](
              const std::optional<v1::LedgerEvent>& end) mutable {
            if (!end.has_value()) {
              done(NotEndedYet(run_id));
            } else {
              done(AnswerOf(end->has_run_cancelled() ? absl::OkStatus()
                                                     : RunHasEnded(run_id)));
            }
            MutexLock ended(mu_);
            end_watches_.erase(id);
            ended_cv_.SignalAll();
          });
      return;
    }
  }
  done(NotEndedYet(run_id));
}

}  // namespace kinora

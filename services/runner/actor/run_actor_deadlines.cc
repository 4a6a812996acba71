// The part of RunActor for questions that people do not answer, or several of
// them do: what that comes to (question_verdict.h) is in the ledger before the
// run acts on it. The time is that of the ledger's events, so a run that was
// left alone beyond a deadline acts as soon as somebody carries it out.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/error_reason.h"
#include "common/run_end.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/runner/actor/run_actor.h"

namespace kinora {

// Of a step, others carry out the other jobs of the run.
bool RunActor::HasToSettle(const std::string& job_id) const {
  return step_ == nullptr || FindJob(job_id).has_value();
}

void RunActor::Take(const QuestionsDue&) {
  looks_.Begin();
  if (state_.cancelled() || state_.finished() || stopping_) return;
  // Whoever answers at the same time is before it or behind it.
  const absl::Status recorded = questions_.RecordAlone(
      [this]() -> absl::Status { return RecordVerdicts(); });
  if (recorded.ok()) {
    looks_.NoteRecorded();
  } else if (ReasonOf(recorded) == "SEQUENCE_MISMATCH") {
    // Somebody may have answered: the ledger is read first.
    looks_.NoteOvertaken();
    Post(QuestionsDue{});
  } else {
    looks_.NoteFailed();
    LogWarning("the end of a question is not recorded",
               {{"run", run_id()}, {"error", recorded}});
  }
}

absl::Status RunActor::RecordVerdicts() {
  const std::vector<v1::JobEvent> verdicts = questions_.Verdicts(
      NowMillis(deps_.clock), /*may_cancel_run=*/step_ == nullptr,
      [this](const std::string& job_id) { return HasToSettle(job_id); });
  if (verdicts.empty()) return absl::OkStatus();
  // What was answered elsewhere could not be looked for.
  KINORA_RETURN_IF_ERROR(watch_->last_read());
  for (const v1::JobEvent& verdict : verdicts) {
    KINORA_RETURN_IF_ERROR(RecordVerdict(verdict));
  }
  return absl::OkStatus();
}

absl::Status RunActor::RecordVerdict(const v1::JobEvent& verdict) {
  v1::Event event = LedgerEventAt(identity_, NowMillis(deps_.clock));
  *event.mutable_ledger()->mutable_job() = verdict;
  const v1::LedgerEvent told = event.ledger();
  v1::AppendEventsRequest request =
      LedgerAppend(identity_, lease_->token(), std::move(event));
  const bool cancels = CancelsRun(verdict);
  if (cancels) {
    v1::Event cancel = LedgerEventAt(identity_, told.occurred_at_ms());
    v1::RunWaitingEvent* waiting =
        cancel.mutable_ledger()->mutable_run_waiting();
    waiting->set_reason(std::string(kCancelling));
    waiting->set_message(verdict.message());
    *request.add_events() = std::move(cancel);
  }
  request.set_request_id(QuestionRequestId(verdict));
  if (looks_.is_careful()) request.set_expected_sequence(watch_->through());
  const absl::StatusOr<v1::AppendEventsResponse> appended =
      deps_.store.events.Append(request);
  // Somebody has recorded another end of it.
  if (absl::IsInvalidArgument(appended.status())) return RelearnQuestions();
  KINORA_RETURN_IF_ERROR(appended.status());
  if (step_ == nullptr) watch_->NoteAppended(*appended);
  if (deps_.listener != nullptr) {
    deps_.listener->OnLedger(movie_id(), run_id(), appended->first_sequence(),
                             request.events());
  }
  Learn(told);
  if (cancels) Take(CancelCall{verdict.message()});
  return absl::OkStatus();
}

// Has the questions looked at when there will be something to say.
void RunActor::WatchQuestions() {
  if (!looks_.TakeNews()) return;
  if (state_.cancelled() || state_.finished() || stopping_) return;
  const int64_t next = questions_.NextVerdictMillis(
      [this](const std::string& job_id) { return HasToSettle(job_id); });
  looks_.LookAt(next, NowMillis(deps_.clock), [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->Post(QuestionsDue{});
  });
}

}  // namespace kinora

// The part of Runner for questions to people.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/clock.h"
#include "common/error_reason.h"
#include "common/ids.h"
#include "common/proto_time.h"
#include "common/run_end.h"
#include "common/status.h"
#include "services/runner/run_past.h"
#include "services/runner/run_questions.h"
#include "services/runner/runner.h"
#include "services/runner/start_slot.h"

namespace kinora {
namespace {

v1::PendingQuestion ToPending(const std::string& run_id,
                              const RunQuestion& asked) {
  v1::PendingQuestion pending;
  pending.set_run_id(run_id);
  pending.set_job_id(asked.job_id);
  *pending.mutable_question() = asked.question;
  *pending.mutable_ask_time() =
      ToProto(absl::FromUnixMillis(asked.asked_at_ms));
  return pending;
}

bool IsAskedBefore(const v1::PendingQuestion& a, const v1::PendingQuestion& b) {
  return std::make_pair(a.ask_time().seconds(), a.ask_time().nanos()) <
         std::make_pair(b.ask_time().seconds(), b.ask_time().nanos());
}

// Somebody else has it, or is about to.
absl::Status NotHere(const std::string& run_id) {
  return absl::UnavailableError(
      absl::StrCat("run ", run_id, " is not carried out here now"));
}

}  // namespace

absl::StatusOr<v1::ListQuestionsResponse> Runner::ListQuestions(
    const v1::ListQuestionsRequest& request) {
  if (!request.movie_id().empty()) {
    KINORA_RETURN_IF_ERROR(ValidateMovieId(request.movie_id()));
  }
  std::vector<v1::RunRecord> runs;
  if (!request.run_id().empty()) {
    KINORA_RETURN_IF_ERROR(ValidateRunId(request.run_id()));
    v1::GetRunRecordRequest get;
    get.set_run_id(request.run_id());
    KINORA_ASSIGN_OR_RETURN(v1::GetRunRecordResponse found,
                            deps_.store.runs.Get(get));
    const v1::RunRecord& record = found.record();
    const bool is_of_movie =
        request.movie_id().empty() || request.movie_id() == record.movie_id();
    if (is_of_movie && !IsTerminal(record.status())) runs.push_back(record);
  } else {
    KINORA_ASSIGN_OR_RETURN(runs, OpenRunsOf(request.movie_id()));
  }
  std::vector<v1::PendingQuestion> pending;
  for (const v1::RunRecord& record : runs) {
    KINORA_ASSIGN_OR_RETURN(const std::vector<RunQuestion> questions,
                            PendingOf(record));
    for (const RunQuestion& asked : questions) {
      pending.push_back(ToPending(record.run_id(), asked));
    }
  }
  std::stable_sort(pending.begin(), pending.end(), IsAskedBefore);
  v1::ListQuestionsResponse response;
  response.mutable_questions()->Assign(pending.begin(), pending.end());
  return response;
}

// Those of a run that is carried out elsewhere, or nowhere, are in its ledger.
absl::StatusOr<std::vector<RunQuestion>> Runner::PendingOf(
    const v1::RunRecord& record) {
  if (const auto actor = ActorOf(record.run_id()); actor != nullptr) {
    return actor->PendingQuestions();
  }
  RunPast past;
  KINORA_ASSIGN_OR_RETURN(const v1::RunSnapshot run, Reduce(record, &past));
  std::vector<RunQuestion> pending;
  if (IsTerminal(run.record().status())) return pending;
  for (const RunQuestion* asked : past.questions().Pending()) {
    pending.push_back(*asked);
  }
  return pending;
}

absl::StatusOr<v1::AnswerQuestionResponse> Runner::AnswerQuestion(
    const v1::AnswerQuestionRequest& request) {
  KINORA_RETURN_IF_ERROR(ValidateRunId(request.run_id()));
  if (request.answer().question_id().empty()) {
    return InvalidField("answer.question_id", "", "must be set");
  }
  if (const auto actor = ActorOf(request.run_id()); actor != nullptr) {
    KINORA_RETURN_IF_ERROR(actor->Answer(request.job_id(), request.answer()));
    return v1::AnswerQuestionResponse();
  }
  v1::GetRunRecordRequest get;
  get.set_run_id(request.run_id());
  KINORA_ASSIGN_OR_RETURN(const v1::GetRunRecordResponse found,
                          deps_.store.runs.Get(get));
  if (IsTerminal(found.record().status())) return RunHasEnded(request.run_id());
  // Interrupted, or another runner's, which then holds the lease.
  const std::string& movie_id = found.record().movie_id();
  const absl::StatusOr<std::unique_ptr<StartSlot>> slot =
      StartSlot::Take(*this, movie_id);
  if (!slot.ok()) return NotHere(request.run_id());
  const absl::StatusOr<v1::LeaseToken> lease =
      TryAcquire(movie_id, request.run_id());
  if (ReasonOf(lease.status()) == "LEASE_HELD") {
    return NotHere(request.run_id());
  }
  KINORA_RETURN_IF_ERROR(lease.status());
  const absl::Status recorded = RecordAnswer(request, *lease);
  Release(*lease);
  if (!recorded.ok()) return recorded;
  return v1::AnswerQuestionResponse();
}

// For whoever adopts the run.
absl::Status Runner::RecordAnswer(const v1::AnswerQuestionRequest& request,
                                  const v1::LeaseToken& lease) {
  // It may have ended before the lease was ours.
  v1::GetRunRecordRequest get;
  get.set_run_id(request.run_id());
  KINORA_ASSIGN_OR_RETURN(const v1::GetRunRecordResponse found,
                          deps_.store.runs.Get(get));
  RunPast past;
  KINORA_ASSIGN_OR_RETURN(const v1::RunSnapshot run,
                          Reduce(found.record(), &past));
  if (IsTerminal(run.record().status())) return RunHasEnded(request.run_id());
  KINORA_ASSIGN_OR_RETURN(
      const v1::JobEvent answered,
      past.questions().Accept(request.job_id(), request.answer()));
  const RunIdentity identity{found.record().movie_id(), request.run_id(), ""};
  v1::Event event = LedgerEventAt(identity, NowMillis(deps_.clock));
  *event.mutable_ledger()->mutable_job() = answered;
  v1::AppendEventsRequest append =
      LedgerAppend(identity, lease, std::move(event));
  append.set_request_id(AnswerRequestId(answered));
  return deps_.store.events.Append(append).status();
}

}  // namespace kinora

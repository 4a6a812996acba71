// The part of Runner for questions to people.

#include <algorithm>
#include <memory>
#include <optional>
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
#include "services/runner/past/run_past.h"
#include "services/runner/questions/budget_question.h"
#include "services/runner/questions/run_questions.h"
#include "services/runner/run_lease.h"
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
  pending.mutable_assignees()->Assign(asked.assignees.begin(),
                                      asked.assignees.end());
  if (asked.deadline_ms > 0) {
    *pending.mutable_deadline() =
        ToProto(absl::FromUnixMillis(asked.deadline_ms));
  }
  pending.set_escalations(asked.level);
  pending.mutable_votes()->Assign(asked.votes.begin(), asked.votes.end());
  return pending;
}

bool IsAskedBefore(const v1::PendingQuestion& a, const v1::PendingQuestion& b) {
  return std::make_pair(a.ask_time().seconds(), a.ask_time().nanos()) <
         std::make_pair(b.ask_time().seconds(), b.ask_time().nanos());
}

}  // namespace

absl::StatusOr<v1::ListQuestionsResponse> Runner::ListQuestions(
    const v1::ListQuestionsRequest& request) {
  if (!request.movie_id().empty()) {
    KINORA_RETURN_IF_ERROR(ValidateMovieId(request.movie_id()));
  }
  std::vector<v1::RunRecord> runs;
  if (!request.run_id().empty()) {
    KINORA_ASSIGN_OR_RETURN(const v1::RunRecord record,
                            RecordOf(request.run_id()));
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
  KINORA_ASSIGN_OR_RETURN(const v1::RunSnapshot run,
                          reductions_.Reduce(record, &past));
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
  // The run's own goes before one that a job happens to have named so.
  if (request.answer().question_id() == kBudgetQuestion &&
      request.job_id().empty()) {
    KINORA_ASSIGN_OR_RETURN(const BudgetQuestion asked,
                            BudgetQuestionOf(request.run_id()));
    if (asked.pending() != nullptr) {
      KINORA_ASSIGN_OR_RETURN(const std::optional<v1::Cost> cap,
                              asked.CapOf(request.answer().value_json()));
      KINORA_RETURN_IF_ERROR(
          SetCap(request.run_id(), cap, asked.pending()->question.prompt())
              .status());
      return v1::AnswerQuestionResponse();
    }
  }
  if (const auto actor = ActorOf(request.run_id()); actor != nullptr) {
    KINORA_RETURN_IF_ERROR(actor->Answer(request.job_id(), request.answer()));
    return v1::AnswerQuestionResponse();
  }
  KINORA_RETURN_IF_ERROR(RecordAnswer(request));
  return v1::AnswerQuestionResponse();
}

absl::StatusOr<BudgetQuestion> Runner::BudgetQuestionOf(
    const std::string& run_id) {
  if (const auto actor = ActorOf(run_id); actor != nullptr) {
    return actor->budget_question();
  }
  KINORA_ASSIGN_OR_RETURN(const v1::RunRecord record, RecordOf(run_id));
  RunPast past;
  KINORA_RETURN_IF_ERROR(reductions_.Reduce(record, &past).status());
  return past.questions().budget();
}

// For whoever carries the run out, or will.
absl::Status Runner::RecordAnswer(const v1::AnswerQuestionRequest& request) {
  KINORA_ASSIGN_OR_RETURN(const v1::RunRecord record,
                          RecordOf(request.run_id()));
  if (IsTerminal(record.status())) return RunHasEnded(request.run_id());
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<RunLease> lease,
                          RunLease::Take(*this, request.run_id()));
  absl::Status accepted;
  const absl::Status recorded =
      Ask(record, lease->token(),
          [&request,
           &accepted](const RunPast& past) -> std::optional<v1::LedgerEvent> {
            const absl::StatusOr<v1::JobEvent> answered =
                past.questions().Accept(request.job_id(), request.answer());
            accepted = answered.status();
            if (!answered.ok()) return std::nullopt;
            v1::LedgerEvent event;
            *event.mutable_job() = *answered;
            return event;
          });
  if (!accepted.ok()) return accepted;
  if (!absl::IsInvalidArgument(recorded)) return recorded;
  // Whoever carries the run out has recorded another answer meanwhile.
  RunPast past;
  KINORA_RETURN_IF_ERROR(reductions_.Reduce(record, &past).status());
  KINORA_RETURN_IF_ERROR(
      past.questions().Accept(request.job_id(), request.answer()).status());
  return recorded;
}

}  // namespace kinora

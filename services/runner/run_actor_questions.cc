// The part of RunActor for questions to people: what a producer asks is in the
// ledger before anybody can answer it, and the answer before the producer has
// it.

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/status.h"
#include "services/runner/ledger_fold.h"
#include "services/runner/run_actor.h"

namespace kinora {

void RunActor::Take(const QuestionAsked& asked) {
  const auto running = running_.find(asked.job);
  if (running == running_.end() || running->second.attempt != asked.attempt) {
    return;
  }
  const std::string& job_id = state_.job(asked.job).job_id();
  const std::string& question_id = asked.question.question_id();
  if (const auto answer = questions_.AnswerTo(job_id, question_id);
      answer.has_value()) {
    return running->second.call->Answer(*answer);
  }
  running->second.asks.insert(question_id);
  times_.Stop(asked.job, deps_.clock.MonotonicNanos());
  running->second.takes_answers = asked.takes_answer;
  if (questions_.Find(job_id, question_id).has_value()) return;
  *AddLedger()->mutable_job() = QuestionEvent(job_id, asked.question);
  questions_.Ask(ledger_events_.back().ledger());
}

// Appends what the batch tells. Whoever sees a question of it in the ledger may
// answer it, and who answers waits until it is there.
absl::Status RunActor::FlushQuestions() {
  return questions_.Tell([this]() -> absl::StatusOr<int64_t> {
    KINORA_RETURN_IF_ERROR(FlushLedger());
    return told_through_;
  });
}

void RunActor::GiveAnswers(JobIndex job, v1::JobHeader* header,
                           RunningAttempt* running) {
  for (v1::Answer& answer : questions_.AnswersOf(state_.job(job).job_id())) {
    running->given.insert(answer.question_id());
    *header->add_answers() = std::move(answer);
  }
}

// Whether an attempt ended to wait for an answer; the job then leaves its
// place. An attempt whose time was up before somebody had answered has not
// failed either.
bool RunActor::TakeAsking(JobIndex job, const RunningAttempt& attempt,
                          AttemptResult* result) {
  std::string question_id;
  if (result->waits_for.has_value()) {
    question_id = *result->waits_for;
  } else if (result->failure.has_value() && !attempt.asks.empty() &&
             result->failure->reason() ==
                 v1::FAILURE_REASON_DEADLINE_EXCEEDED) {
    question_id = *attempt.asks.begin();
  } else {
    return false;
  }
  const std::string& job_id = state_.job(job).job_id();
  const std::optional<v1::Question> question =
      questions_.Find(job_id, question_id);
  // To call a job again and again that does not take its answer helps nobody.
  const bool was_given = attempt.given.count(question_id) > 0;
  if (!question.has_value() || was_given) {
    result->failure.emplace();
    result->failure->set_reason(v1::FAILURE_REASON_PRODUCER_ERROR);
    result->failure->set_message(absl::StrCat(
        "the producer waits for the answer to \"", ClipValue(question_id),
        was_given ? "\", which it was given" : "\", which it has not asked"));
    result->waits_for.reset();
    return false;
  }
  if (!state_.cancelled()) {
    *AddLedger()->mutable_job() =
        AskingEvent(job_id, *question, result->in_doubt, TakeCharge(job));
  }
  facts_.push_back(AttemptAsks{job, result->in_doubt});
  awaited_[job] = question_id;
  if (questions_.AnswerTo(job_id, question_id).has_value())
    GoOnWith(job, question_id);
  return true;
}

void RunActor::GoOnWith(JobIndex job, const std::string& question_id) {
  const auto awaited = awaited_.find(job);
  if (awaited == awaited_.end() || awaited->second != question_id) return;
  awaited_.erase(awaited);
  facts_.push_back(AnswerGiven{job});
}

// What the job waits for, unless it was answered since this process began.
void RunActor::RecallAsking(JobIndex job, PastJob* past) {
  if (past->asking.empty()) return;
  if (questions_.AnswerTo(state_.job(job).job_id(), past->asking).has_value()) {
    past->asking.clear();
  } else {
    awaited_[job] = past->asking;
  }
}

size_t RunActor::AttemptsThatAsk() const {
  size_t count = 0;
  for (const auto& running : running_) count += running.second.is_asking();
  return count;
}

std::vector<RunQuestion> RunActor::PendingQuestions() {
  if (closing()) return {};
  return questions_.Pending();
}

absl::Status RunActor::Answer(const std::string& job_id,
                              const v1::Answer& answer) {
  // One at a time: the second to answer is told that it came too late.
  return questions_.RecordAlone(
      [&]() -> absl::Status { return RecordAnswer(job_id, answer); });
}

absl::Status RunActor::RecordAnswer(const std::string& job_id,
                                    const v1::Answer& answer) {
  KINORA_ASSIGN_OR_RETURN(const v1::JobEvent answered,
                          questions_.Accept(job_id, answer));
  v1::Event event = LedgerEventAt(identity_, NowMillis(deps_.clock));
  *event.mutable_ledger()->mutable_job() = answered;
  const v1::LedgerEvent ledger = event.ledger();
  v1::AppendEventsRequest request =
      LedgerAppend(identity_, lease_->token(), std::move(event));
  request.set_request_id(AnswerRequestId(answered));
  const absl::Status appended = deps_.store.events.Append(request).status();
  if (appended.ok()) {
    Learn(ledger);
    return absl::OkStatus();
  }
  if (ReasonOf(appended) == "LEASE_LOST") {
    return absl::UnavailableError(
        absl::StrCat("run ", run_id(), " is not carried out here any more"));
  }
  // An append that seemed to fail may have been done after all; then this one
  // was refused, and what was recorded first is the answer.
  if (absl::IsInvalidArgument(appended)) {
    int64_t through = 0;
    KINORA_RETURN_IF_ERROR(
        FoldLedger(deps_.store.events, movie_id(), run_id(), &through,
                   [this](const v1::Event& recorded) {
                     if (recorded.ledger().job().type() == "answered") {
                       Learn(recorded.ledger());
                     }
                   }));
    KINORA_RETURN_IF_ERROR(questions_.Accept(job_id, answer).status());
  }
  return Annotate(appended, "record the answer");
}

// An answer that is in the ledger goes to the job that waits for it.
void RunActor::Learn(const v1::LedgerEvent& answered) {
  QuestionAnswered message;
  message.job_id = answered.job().job_id();
  questions_.Apply(answered);
  message.answers = questions_.AnswersOf(message.job_id);
  Post(std::move(message));
}

void RunActor::Take(const QuestionAnswered& answered) {
  // Not often enough for an index.
  for (size_t i = 0; i < state_.job_count(); ++i) {
    const JobIndex job = static_cast<JobIndex>(i);
    if (state_.job(job).job_id() != answered.job_id) continue;
    const auto running = running_.find(job);
    for (const v1::Answer& answer : answered.answers) {
      if (running == running_.end()) {
        GoOnWith(job, answer.question_id());
      } else if (running->second.asks.erase(answer.question_id()) > 0) {
        running->second.call->Answer(answer);
        if (running->second.asks.empty()) times_.Run(job);
      }
    }
    return;
  }
}

}  // namespace kinora

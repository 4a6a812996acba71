// The part of RunActor for questions to people: what a producer asks is in the
// ledger before anybody can answer it, and the answer before the producer has
// it.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/status.h"
#include "services/runner/actor/run_actor.h"
#include "services/runner/past/ledger_fold.h"
#include "services/runner/questions/question_terms.h"
#include "services/runner/questions/question_verdict.h"

namespace kinora {

void RunActor::Take(const QuestionAsked& asked) {
  const auto running = running_.find(asked.job);
  if (running == running_.end() || running->second.attempt != asked.attempt) {
    return;
  }
  RunningAttempt& attempt = running->second;
  const std::string& job_id = state_.job(asked.job).job_id();
  const std::string key = KeyOf(asked.question);
  std::string& last = attempt.asked[asked.question.question_id()];
  // It takes the place of what was asked about other content, which nobody can
  // answer any more.
  if (last != key) attempt.asks.erase(last);
  last = key;
  const bool is_new = questions_.IsNew(job_id, asked.question);
  const bool is_approved = is_new && TakeApproval(job_id, asked.question);
  if (!is_new || is_approved) {
    const auto answer = questions_.AnswerTo(job_id, key);
    if (answer.has_value()) return attempt.call->Answer(*answer);
    attempt.unanswered = questions_.FailureBy(job_id, key);
    if (attempt.unanswered.has_value()) return attempt.call->Cancel();
  }
  attempt.refused = is_new && !is_approved
                        ? questions_.CheckContents(job_id, asked.question)
                        : std::nullopt;
  if (attempt.refused.has_value()) return attempt.call->Cancel();
  attempt.asks.insert(key);
  times_.Stop(asked.job, deps_.clock.MonotonicNanos());
  attempt.takes_answers = asked.takes_answer;
  if (!is_new) return;
  v1::Question question = asked.question;
  // From now on, also for whoever goes on with the run.
  StampDeadline(NowMillis(deps_.clock), &question);
  *AddLedger()->mutable_job() = QuestionEvent(job_id, question);
  questions_.Ask(ledger_events_.back().ledger());
  looks_.NoteNews();
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
    running->given.insert(KeyOf(answer));
    *header->add_answers() = std::move(answer);
  }
}

// What an attempt has ended to wait for, if it has. One whose time was up
// before somebody had answered has not failed either.
std::optional<std::string> RunActor::AwaitedBy(JobIndex job,
                                               const RunningAttempt& attempt,
                                               AttemptResult* result) const {
  const std::string& job_id = state_.job(job).job_id();
  std::string key;
  if (result->waits_for.has_value()) {
    const auto asked = attempt.asked.find(*result->waits_for);
    const auto latest = questions_.Latest(job_id, *result->waits_for);
    key = *result->waits_for;
    if (asked != attempt.asked.end()) {
      key = asked->second;
    } else if (latest.has_value()) {
      key = KeyOf(latest->question);
    }
  } else if (result->failure.has_value() && !attempt.asks.empty() &&
             result->failure->reason() ==
                 v1::FAILURE_REASON_DEADLINE_EXCEEDED) {
    key = *attempt.asks.begin();
  } else {
    return std::nullopt;
  }
  const std::optional<v1::Question> question = questions_.Find(job_id, key);
  // To call a job again and again that does not take its answer helps nobody.
  const bool was_given = attempt.given.count(key) > 0;
  if (!question.has_value() || was_given) {
    result->failure.emplace();
    result->failure->set_reason(v1::FAILURE_REASON_PRODUCER_ERROR);
    result->failure->set_message(absl::StrCat(
        "the producer waits for the answer to \"",
        ClipValue(question.has_value() ? question->question_id() : key),
        was_given ? "\", which it was given" : "\", which it has not asked"));
    result->waits_for.reset();
    return std::nullopt;
  }
  return key;
}

// The job leaves its place until somebody has answered.
void RunActor::TakeAsking(JobIndex job, const RunningAttempt& attempt,
                          const std::string& key, bool in_doubt) {
  const std::string& job_id = state_.job(job).job_id();
  const std::optional<v1::Question> question = questions_.Find(job_id, key);
  if (question.has_value() && !state_.cancelled()) {
    *AddLedger()->mutable_job() =
        AskingEvent(job_id, *question, in_doubt, TakeCharge(job));
  }
  facts_.push_back(AttemptAsks{job, in_doubt});
  awaited_[job] = key;
  if (questions_.AnswerTo(job_id, key).has_value()) GoOnWith(job, key);
  if (attempt.unanswered.has_value()) GiveUpWaiting(job, *attempt.unanswered);
  const auto failure = questions_.FailureBy(job_id, key);
  if (failure.has_value()) GiveUpWaiting(job, *failure);
}

void RunActor::GoOnWith(JobIndex job, const std::string& key) {
  const auto awaited = awaited_.find(job);
  if (awaited == awaited_.end() || awaited->second != key) return;
  awaited_.erase(awaited);
  facts_.push_back(AnswerGiven{job});
}

// Whatever it waits for: something that it has asked has no answer.
void RunActor::GiveUpWaiting(JobIndex job, const v1::Failure& failure) {
  if (awaited_.erase(job) > 0) facts_.push_back(AnswerMissing{job, failure});
}

// What the job waits for, unless that was answered, or has ended without an
// answer, since this process began: the job may become known long after that.
void RunActor::RecallAsking(JobIndex job, PastJob* past) {
  if (past->asking.empty()) return;
  const std::string& job_id = state_.job(job).job_id();
  if (questions_.AnswerTo(job_id, past->asking).has_value()) {
    past->asking.clear();
  } else if (auto failure = questions_.FailureBy(job_id, past->asking);
             failure.has_value()) {
    past->failure = std::move(failure);
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
  request.set_request_id(QuestionRequestId(answered));
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
    KINORA_RETURN_IF_ERROR(RelearnQuestions());
    KINORA_RETURN_IF_ERROR(questions_.Accept(job_id, answer).status());
  }
  return Annotate(appended, "record the answer");
}

// What the ledger tells of the questions, whoever has recorded it.
absl::Status RunActor::RelearnQuestions() {
  int64_t through = 0;
  return FoldLedger(deps_.store.events, movie_id(), run_id(), &through,
                    [this](const v1::Event& recorded) {
                      if (TellsOfQuestion(recorded.ledger().job().type())) {
                        Learn(recorded.ledger());
                      }
                    });
}

// What is in the ledger of a question goes to the job that waits for it.
void RunActor::Learn(const v1::LedgerEvent& told) {
  QuestionAnswered message;
  message.job_id = told.job().job_id();
  questions_.Apply(told);
  message.answers = questions_.AnswersOf(message.job_id);
  for (const RunQuestion& asked : questions_.Settled(message.job_id)) {
    if (!asked.unanswered.has_value() || asked.is_void) continue;
    message.failures[KeyOf(asked.question)] = FailureOf(asked);
  }
  Post(std::move(message));
}

// Not often enough for an index.
std::optional<JobIndex> RunActor::FindJob(const std::string& job_id) const {
  for (size_t i = 0; i < state_.job_count(); ++i) {
    const JobIndex job = static_cast<JobIndex>(i);
    if (state_.job(job).job_id() == job_id) return job;
  }
  return std::nullopt;
}

void RunActor::Take(const QuestionAnswered& answered) {
  looks_.NoteNews();
  const std::optional<JobIndex> job = FindJob(answered.job_id);
  if (!job.has_value()) return;
  NoteApprovals(answered.job_id);
  const auto running = running_.find(*job);
  for (const v1::Answer& answer : answered.answers) {
    if (running == running_.end()) {
      GoOnWith(*job, KeyOf(answer));
    } else if (running->second.asks.erase(KeyOf(answer)) > 0) {
      running->second.call->Answer(answer);
      if (running->second.asks.empty()) times_.Run(*job);
    }
  }
  for (const auto& failure : answered.failures) {
    if (running == running_.end()) {
      GiveUpWaiting(*job, failure.second);
    } else if (running->second.asks.erase(failure.first) > 0) {
      running->second.unanswered = failure.second;
      running->second.call->Cancel();
    }
  }
}

}  // namespace kinora

#include "services/runner/questions/question_keeper.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/runner/questions/question_verdict.h"

namespace kinora {

absl::Status QuestionKeeper::RecordAlone(
    absl::FunctionRef<absl::Status()> record) {
  MutexLock alone(alone_mu_);
  return record();
}

void QuestionKeeper::Ask(const v1::LedgerEvent& asks) {
  MutexLock lock(mu_);
  asked_.push_back(asks);
}

bool QuestionKeeper::HasToTell() const {
  MutexLock lock(mu_);
  return !asked_.empty();
}

absl::Status QuestionKeeper::Tell(
    absl::FunctionRef<absl::StatusOr<int64_t>()> append) {
  if (!HasToTell()) return append().status();
  MutexLock alone(alone_mu_);
  KINORA_ASSIGN_OR_RETURN(const int64_t through, append());
  MutexLock lock(mu_);
  for (const v1::LedgerEvent& event : asked_) {
    told_.Apply(event);
    if (event.job().type() == kOverBudget) budget_sequence_ = through;
  }
  asked_.clear();
  return absl::OkStatus();
}

void QuestionKeeper::Apply(const v1::LedgerEvent& event) {
  MutexLock lock(mu_);
  told_.Apply(event);
}

void QuestionKeeper::ApplyCap(const v1::LedgerEvent& event, int64_t sequence) {
  MutexLock lock(mu_);
  if (sequence <= budget_sequence_) return;
  told_.Apply(event);
  budget_sequence_ = sequence;
}

RunQuestions QuestionKeeper::ToTell() const {
  RunQuestions batch;
  for (const v1::LedgerEvent& event : asked_) batch.Apply(event);
  return batch;
}

std::optional<v1::Question> QuestionKeeper::Find(const std::string& job_id,
                                                 const std::string& key) const {
  MutexLock lock(mu_);
  const RunQuestions batch = ToTell();
  const RunQuestion* known = batch.Find(job_id, key);
  if (known == nullptr) known = told_.Find(job_id, key);
  if (known == nullptr) return std::nullopt;
  return known->question;
}

bool QuestionKeeper::IsNew(const std::string& job_id,
                           const v1::Question& question) const {
  MutexLock lock(mu_);
  if (ToTell().Find(job_id, KeyOf(question)) != nullptr) return false;
  return told_.IsNew(job_id, question);
}

std::optional<v1::Answer> QuestionKeeper::AnswerTo(
    const std::string& job_id, const std::string& key) const {
  MutexLock lock(mu_);
  const RunQuestion* known = told_.Find(job_id, key);
  return known == nullptr ? std::nullopt : known->answer;
}

std::optional<v1::Failure> QuestionKeeper::FailureBy(
    const std::string& job_id, const std::string& key) const {
  MutexLock lock(mu_);
  const RunQuestion* known = told_.Find(job_id, key);
  if (known == nullptr || !known->unanswered.has_value()) return std::nullopt;
  // It is asked anew.
  if (ToTell().Find(job_id, key) != nullptr) return std::nullopt;
  return FailureOf(*known);
}

std::optional<v1::Failure> QuestionKeeper::CheckContents(
    const std::string& job_id, const v1::Question& question) const {
  MutexLock lock(mu_);
  if (told_.Find(job_id, KeyOf(question)) != nullptr ||
      told_.UnheededContents(job_id, question.question_id()) <
          kMaxUnheededContents) {
    return std::nullopt;
  }
  v1::Failure failure;
  failure.set_reason(v1::FAILURE_REASON_PRODUCER_ERROR);
  failure.set_message(absl::StrCat(
      "question \"", question.question_id(), "\" was asked about ",
      kMaxUnheededContents,
      " contents that nobody has answered for, and now about another one: what "
      "a job shows must be the same each time it is called"));
  return failure;
}

std::optional<RunQuestion> QuestionKeeper::Latest(
    const std::string& job_id, const std::string& question_id) const {
  MutexLock lock(mu_);
  const RunQuestions batch = ToTell();
  const RunQuestion* latest = batch.Latest(job_id, question_id);
  if (latest == nullptr) latest = told_.Latest(job_id, question_id);
  if (latest == nullptr) return std::nullopt;
  return *latest;
}

std::vector<RunQuestion> QuestionKeeper::Settled(
    const std::string& job_id) const {
  MutexLock lock(mu_);
  std::vector<RunQuestion> settled;
  for (const RunQuestion* asked : told_.Settled(job_id)) {
    settled.push_back(*asked);
  }
  return settled;
}

std::vector<v1::JobEvent> QuestionKeeper::Verdicts(int64_t now_ms,
                                                   bool may_cancel_run,
                                                   IsMeant is_meant) const {
  MutexLock lock(mu_);
  return told_.Verdicts(now_ms, may_cancel_run, is_meant);
}

int64_t QuestionKeeper::NextVerdictMillis(IsMeant is_meant) const {
  MutexLock lock(mu_);
  return std::min(told_.NextVerdictMillis(is_meant),
                  ToTell().NextVerdictMillis(is_meant));
}

std::vector<v1::Answer> QuestionKeeper::AnswersOf(
    const std::string& job_id) const {
  MutexLock lock(mu_);
  return told_.AnswersOf(job_id);
}

absl::StatusOr<v1::JobEvent> QuestionKeeper::Accept(
    const std::string& job_id, const v1::Answer& answer) const {
  MutexLock lock(mu_);
  return told_.Accept(job_id, answer);
}

absl::Status QuestionKeeper::CheckBudgetPending(
    const std::string& prompt) const {
  MutexLock lock(mu_);
  return told_.budget().CheckPending(prompt);
}

std::vector<RunQuestion> QuestionKeeper::Pending() {
  MutexLock alone(alone_mu_);
  MutexLock lock(mu_);
  std::vector<RunQuestion> pending;
  for (const RunQuestion* asked : told_.Pending()) pending.push_back(*asked);
  return pending;
}

BudgetQuestion QuestionKeeper::Budget() {
  MutexLock alone(alone_mu_);
  MutexLock lock(mu_);
  return told_.budget();
}

}  // namespace kinora

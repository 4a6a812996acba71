#include "services/runner/question_keeper.h"

#include "common/status.h"

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

std::optional<v1::Question> QuestionKeeper::Find(
    const std::string& job_id, const std::string& question_id) const {
  MutexLock lock(mu_);
  const RunQuestion* known = told_.Find(job_id, question_id);
  if (known != nullptr) return known->question;
  RunQuestions batch;
  for (const v1::LedgerEvent& event : asked_) batch.Apply(event);
  known = batch.Find(job_id, question_id);
  if (known == nullptr) return std::nullopt;
  return known->question;
}

std::optional<v1::Answer> QuestionKeeper::AnswerTo(
    const std::string& job_id, const std::string& question_id) const {
  MutexLock lock(mu_);
  const RunQuestion* known = told_.Find(job_id, question_id);
  return known == nullptr ? std::nullopt : known->answer;
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

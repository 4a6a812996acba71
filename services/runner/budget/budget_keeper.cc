#include "services/runner/budget/budget_keeper.h"

#include "common/status.h"

namespace kinora {
namespace {

// True if less may be spent with `cap` than with the one before.
bool IsLower(const std::optional<v1::Cost>& cap,
             const std::optional<v1::Cost>& before) {
  if (!cap.has_value()) return false;
  if (!before.has_value()) return true;
  return before->currency_code() == cap->currency_code() &&
         cap->micros() <= before->micros();
}

}  // namespace

v1::Cost BudgetKeeper::PriceOf(const v1::PlannedNode& node) const {
  MutexLock lock(mu_);
  return budget_.PriceOf(node);
}

std::optional<RunBudget::Obstacle> BudgetKeeper::Reserve(
    const std::string& job_id, const std::string& producer,
    const v1::Cost& price) {
  MutexLock lock(mu_);
  return budget_.Reserve(job_id, producer, price);
}

v1::Cost BudgetKeeper::ReservedFor(const std::string& job_id) const {
  MutexLock lock(mu_);
  return budget_.ReservedFor(job_id);
}

void BudgetKeeper::HandOn(const std::string& job_id) {
  MutexLock lock(mu_);
  budget_.HandOn(job_id);
}

void BudgetKeeper::TakeBack(const std::string& job_id) {
  MutexLock lock(mu_);
  budget_.TakeBack(job_id);
}

void BudgetKeeper::GiveUp(const std::string& job_id) {
  MutexLock lock(mu_);
  budget_.GiveUp(job_id);
}

v1::Cost BudgetKeeper::Settle(const std::string& job_id, RunBudget::End end,
                              const std::optional<v1::Cost>& reported) {
  MutexLock lock(mu_);
  return budget_.Settle(job_id, end, reported);
}

absl::StatusOr<v1::SetRunBudgetResponse> BudgetKeeper::SetCap(
    const std::optional<v1::Cost>& cap,
    absl::FunctionRef<absl::StatusOr<int64_t>()> append) {
  std::optional<v1::Cost> before;
  {
    MutexLock lock(mu_);
    before = budget_.cap();
    KINORA_RETURN_IF_ERROR(budget_.SetCap(cap));
    if (!IsLower(cap, before)) budget_.RestoreCap(before);
  }
  const absl::StatusOr<int64_t> told = append();
  MutexLock lock(mu_);
  budget_.RestoreCap(told.ok() ? cap : before);
  if (!told.ok()) return told.status();
  cap_sequence_ = *told;
  v1::SetRunBudgetResponse response;
  *response.mutable_spent() = budget_.spent();
  *response.mutable_reserved() = budget_.reserved();
  return response;
}

void BudgetKeeper::HeedCap(const std::optional<v1::Cost>& cap,
                           int64_t sequence) {
  MutexLock lock(mu_);
  if (sequence <= cap_sequence_) return;
  budget_.RestoreCap(cap);
  cap_sequence_ = sequence;
}

void BudgetKeeper::SetMovieCap(const std::optional<v1::Cost>& cap) {
  MutexLock lock(mu_);
  budget_.SetMovieCap(cap);
}

void BudgetKeeper::Write(v1::RunRecord* record) const {
  MutexLock lock(mu_);
  WriteMoney(budget_, record);
}

}  // namespace kinora

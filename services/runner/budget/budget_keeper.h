// A BudgetKeeper has what a run may cost and has cost, for all who look at that
// at once: the run, which reserves and settles, and whoever sets its cap, here
// or through the ledger.

#ifndef KINORA_SERVICES_RUNNER_BUDGET_BUDGET_KEEPER_H_
#define KINORA_SERVICES_RUNNER_BUDGET_BUDGET_KEEPER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

#include "common/run_budget.h"
#include "common/threads/mutex.h"
#include "kinora/v1/plan.pb.h"
#include "kinora/v1/run_record.pb.h"
#include "kinora/v1/runner.pb.h"

namespace kinora {

// Thread-safe. What is not said here is as RunBudget has it.
class BudgetKeeper {
 public:
  explicit BudgetKeeper(RunBudget budget) : budget_(std::move(budget)) {}

  v1::Cost PriceOf(const v1::PlannedNode& node) const;
  std::optional<RunBudget::Obstacle> Reserve(const std::string& job_id,
                                             const std::string& producer,
                                             const v1::Cost& price);
  v1::Cost ReservedFor(const std::string& job_id) const;
  void HandOn(const std::string& job_id);
  void TakeBack(const std::string& job_id);
  void GiveUp(const std::string& job_id);
  v1::Cost Settle(const std::string& job_id, RunBudget::End end,
                  const std::optional<v1::Cost>& reported);

  // Sets the cap. `append` tells the ledger and returns where that has it: a
  // lower cap holds before, a higher one only behind that. Errors of
  // RunBudget::SetCap(), without a call of it, and its own. One at a time.
  absl::StatusOr<v1::SetRunBudgetResponse> SetCap(
      const std::optional<v1::Cost>& cap,
      absl::FunctionRef<absl::StatusOr<int64_t>()> append);

  // The ledger has a cap at `sequence`, whoever set it: it holds unless a later
  // one is known.
  void HeedCap(const std::optional<v1::Cost>& cap, int64_t sequence);

  void SetMovieCap(const std::optional<v1::Cost>& cap);

  // Into the run's record.
  void Write(v1::RunRecord* record) const;

 private:
  mutable Mutex mu_;
  RunBudget budget_ ABSL_GUARDED_BY(mu_);
  // Where the ledger has the cap that holds.
  int64_t cap_sequence_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_BUDGET_BUDGET_KEEPER_H_

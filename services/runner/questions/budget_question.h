// The question that a run asks at the edge of a budget: may it cost more? In
// the ledger it is `job.over_budget` with all amounts, told when nothing else
// is left to do. It is no job's question: its answer is a new cap,
// `run.budget`, whoever sets that and however. Pure.

#ifndef KINORA_SERVICES_RUNNER_QUESTIONS_BUDGET_QUESTION_H_
#define KINORA_SERVICES_RUNNER_QUESTIONS_BUDGET_QUESTION_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/run_budget.h"
#include "kinora/v1/ledger.pb.h"
#include "services/runner/questions/run_question.h"

namespace kinora {

// The id of the question.
inline constexpr absl::string_view kBudgetQuestion = "budget";

// The event of the ledger that asks it.
inline constexpr absl::string_view kOverBudget = "over_budget";

// What the ledger says of a job that cannot be afforded: in words, with what
// lets the run go on, and in its detail as
//   {"scope":"run"|"producer"|"movie","producer","cap","spent","reserved",
//    "needed","enough","foreign"}
// `enough` is the cap that would do; without it no amount does, as what is
// `foreign` cannot be counted.
v1::JobEvent OverBudgetEvent(const std::string& movie_id,
                             const std::string& run_id,
                             const std::string& job_id,
                             const RunBudget::Obstacle& obstacle);

// Folds ledger events, in their order. Not thread-safe.
class BudgetQuestion {
 public:
  void Apply(const v1::LedgerEvent& event);

  // Null unless the run asks. It has no job, as any start settles it; so does
  // another cap of the run if that is the one in the way.
  const RunQuestion* pending() const {
    return asked_.has_value() ? &*asked_ : nullptr;
  }

  // The cap that an answer means, in the currency of the present one if it
  // names none; no value if it is "none". INVALID_ARGUMENT naming the value if
  // it is no amount, or not enough for the job; FAILED_PRECONDITION saying what
  // to do if the cap is not the run's. REQUIRES: pending().
  absl::StatusOr<std::optional<v1::Cost>> CapOf(
      absl::string_view value_json) const;

  // QUESTION_NOT_FOUND unless this is what the run asks still; `prompt` is what
  // was answered.
  absl::Status CheckPending(absl::string_view prompt) const;

 private:
  void Take(const v1::LedgerEvent& event);

  std::optional<RunQuestion> asked_;
  std::string job_id_;  // that cannot be afforded
  bool of_run_ = false;
  v1::Cost cap_;
  std::optional<v1::Cost> enough_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_QUESTIONS_BUDGET_QUESTION_H_

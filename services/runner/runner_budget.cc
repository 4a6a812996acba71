// The part of Runner for what runs may cost.

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/ids.h"
#include "common/run_end.h"
#include "common/status.h"
#include "services/runner/past/run_past.h"
#include "services/runner/run_lease.h"
#include "services/runner/runner.h"
#include "services/runner/start_slot.h"

namespace kinora {

RunBudget Runner::BudgetOf(const v1::RunRecord& record, const v1::Plan& plan,
                           const DeclaredPrices& prices, RunBudget spent) {
  spent.RestoreCap(std::nullopt);
  if (record.has_budget()) spent.RestoreCap(record.budget());
  for (const auto& [producer, config] : configs_) {
    if (config.budget.has_value()) {
      spent.SetProducerCap(producer, *config.budget);
    }
  }
  for (const v1::PlannedNode& node : plan.nodes()) {
    const auto price = prices.find(node.producer().name());
    spent.AddNode(node, price == prices.end() ? v1::Cost() : price->second);
  }
  return spent;
}

absl::Status Runner::LimitByMovie(const v1::RunRecord& record,
                                  RunBudget* budget) {
  v1::GetMovieRequest get;
  get.set_movie_id(record.movie_id());
  KINORA_ASSIGN_OR_RETURN(const v1::GetMovieResponse movie,
                          deps_.store.movies.Get(get));
  const std::optional<v1::Cost> cap = MovieCapOf(movie.movie());
  if (!cap.has_value()) return absl::OkStatus();
  budget->SetMovieCap(cap);
  v1::ListRunRecordsRequest list;
  list.set_movie_id(record.movie_id());
  list.set_page_size(1'000);
  do {
    KINORA_ASSIGN_OR_RETURN(v1::ListRunRecordsResponse page,
                            deps_.store.runs.List(list));
    for (v1::RunRecord& other : *page.mutable_records()) {
      if (other.run_id() == record.run_id()) continue;
      if (other.status() == v1::RUN_STATUS_UNSPECIFIED) {
        // What one has spent that cannot be read is not nothing.
        KINORA_ASSIGN_OR_RETURN(other, RecordOf(other.run_id()));
      }
      budget->AddToMovie(other.cost());
      for (const v1::Cost& cost : other.other_costs()) {
        budget->AddToMovie(cost);
      }
    }
    list.set_page_token(page.next_page_token());
  } while (!list.page_token().empty());
  return absl::OkStatus();
}

absl::StatusOr<v1::SetRunBudgetResponse> Runner::SetBudget(
    const v1::SetRunBudgetRequest& request) {
  KINORA_RETURN_IF_ERROR(ValidateRunId(request.run_id()));
  std::optional<v1::Cost> cap;
  if (request.has_cap()) {
    KINORA_RETURN_IF_ERROR(ValidateCap("cap", request.cap()));
    cap = request.cap();
  }
  return SetCap(request.run_id(), cap, /*answers=*/"");
}

absl::StatusOr<v1::SetRunBudgetResponse> Runner::SetCap(
    const std::string& run_id, const std::optional<v1::Cost>& cap,
    const std::string& answers) {
  while (const auto actor = ActorOf(run_id)) {
    absl::StatusOr<v1::SetRunBudgetResponse> set =
        actor->SetBudget(cap, answers);
    if (ReasonOf(set.status()) == "LEASE_LOST") break;
    // One that has just begun to end is waited for.
    if (set.ok() || !actor->closing()) return set;
  }
  return RequestCap(run_id, cap, answers);
}

// Of a run that another runner carries out, or nobody now: whoever has it, or
// adopts it, finds the new cap.
absl::StatusOr<v1::SetRunBudgetResponse> Runner::RequestCap(
    const std::string& run_id, const std::optional<v1::Cost>& cap,
    const std::string& answers) {
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<RunLease> lease,
                          RunLease::Take(*this, run_id));
  KINORA_ASSIGN_OR_RETURN(const v1::RunRecord record, RecordOf(run_id));
  if (IsTerminal(record.status())) return RunHasEnded(run_id);
  if (record.stepwise()) return IsItsCallers(run_id, "has no budget");
  if (IsQueued(record)) {
    return absl::FailedPreconditionError(
        absl::StrCat("run ", run_id,
                     " waits for its turn: its budget can be changed once it "
                     "has begun"));
  }
  KINORA_ASSIGN_OR_RETURN(const std::shared_ptr<const v1::Plan> plan,
                          LoadPlan(record.movie_id(), record.plan_hash()));
  v1::SetRunBudgetResponse response;
  absl::Status possible;
  const auto set = [&](const RunPast& past) -> std::optional<v1::LedgerEvent> {
    possible = answers.empty()
                   ? absl::OkStatus()
                   : past.questions().budget().CheckPending(answers);
    RunBudget budget = BudgetOf(record, *plan, /*prices=*/{}, past.budget());
    possible.Update(budget.SetCap(cap));
    if (!possible.ok()) return std::nullopt;
    *response.mutable_spent() = budget.spent();
    *response.mutable_reserved() = budget.reserved();
    v1::LedgerEvent event;
    event.mutable_run_budget();
    if (cap.has_value()) *event.mutable_run_budget()->mutable_cap() = *cap;
    return event;
  };
  KINORA_RETURN_IF_ERROR(Ask(record, lease->token(), set));
  KINORA_RETURN_IF_ERROR(possible);
  return response;
}

}  // namespace kinora

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
#include "services/runner/run_past.h"
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
    KINORA_ASSIGN_OR_RETURN(const v1::ListRunRecordsResponse page,
                            deps_.store.runs.List(list));
    for (const v1::RunRecord& other : page.records()) {
      if (other.run_id() == record.run_id()) continue;
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
  while (const auto actor = ActorOf(request.run_id())) {
    absl::StatusOr<v1::SetRunBudgetResponse> set = actor->SetBudget(cap);
    if (ReasonOf(set.status()) == "LEASE_LOST") break;
    // One that has just begun to end is waited for.
    if (set.ok() || !actor->closing()) return set;
  }
  KINORA_ASSIGN_OR_RETURN(const v1::RunRecord record,
                          RecordOf(request.run_id()));
  if (IsTerminal(record.status())) return RunHasEnded(request.run_id());
  if (record.stepwise()) {
    return IsItsCallers(request.run_id(), "has no budget");
  }
  if (IsQueued(record)) {
    return absl::FailedPreconditionError(
        absl::StrCat("run ", request.run_id(),
                     " waits for its turn: its budget can be changed once it "
                     "has begun"));
  }
  // Interrupted, or another runner's, which then holds the lease.
  const std::string& movie_id = record.movie_id();
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<StartSlot> slot,
                          StartSlot::Take(*this, movie_id));
  const absl::StatusOr<v1::LeaseToken> lease =
      TryAcquire(movie_id, request.run_id());
  if (ReasonOf(lease.status()) == "LEASE_HELD") {
    return absl::UnavailableError(
        absl::StrCat("run ", request.run_id(), " is not carried out here now"));
  }
  KINORA_RETURN_IF_ERROR(lease.status());
  absl::StatusOr<v1::SetRunBudgetResponse> response =
      SetBudgetUnderLease(request.run_id(), cap, *lease);
  Release(*lease);
  return response;
}

// Of a run that nobody carries out: whoever adopts it finds the new cap.
absl::StatusOr<v1::SetRunBudgetResponse> Runner::SetBudgetUnderLease(
    const std::string& run_id, const std::optional<v1::Cost>& cap,
    const v1::LeaseToken& lease) {
  KINORA_ASSIGN_OR_RETURN(v1::RunRecord record, RecordOf(run_id));
  RunPast past;
  KINORA_ASSIGN_OR_RETURN(const v1::RunSnapshot snapshot,
                          Reduce(record, &past));
  if (IsTerminal(record.status()) || IsTerminal(snapshot.record().status())) {
    return RunHasEnded(run_id);
  }
  RunBudget budget = past.budget();
  KINORA_RETURN_IF_ERROR(budget.SetCap(cap));
  const RunIdentity run = {record.movie_id(), run_id, record.target_revision()};
  KINORA_RETURN_IF_ERROR(AppendLedger(
      record, lease, BudgetEvent(run, NowMillis(deps_.clock), cap)));
  WriteMoney(budget, &record);
  KINORA_RETURN_IF_ERROR(PutRecord(record, lease));
  v1::SetRunBudgetResponse response;
  *response.mutable_spent() = budget.spent();
  *response.mutable_reserved() = budget.reserved();
  return response;
}

}  // namespace kinora

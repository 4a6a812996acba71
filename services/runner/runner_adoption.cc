// The part of Runner that goes on with runs whose runner is gone.

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/proto_time.h"
#include "common/run_end.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "common/telemetry/trace_context.h"
#include "common/threads/run_beside.h"
#include "services/runner/calls/passing_error.h"
#include "services/runner/past/ledger_fold.h"
#include "services/runner/past/run_past.h"
#include "services/runner/past/told_results.h"
#include "services/runner/run_damage.h"
#include "services/runner/runner.h"
#include "services/runner/start_slot.h"

namespace kinora {
namespace {

// A run that is its caller's is nobody else's.
absl::Status GivenUp() {
  return absl::FailedPreconditionError(
      "its caller gave the movie's lease up, or lost it, and had published no "
      "revision");
}

bool IsEnd(const v1::LedgerEvent& event) {
  return event.has_run_completed() || event.has_run_failed() ||
         event.has_run_cancelled();
}

}  // namespace

void Runner::KeepAdopting() {
  MutexLock lock(mu_);
  if (draining_ || adopting_) return;
  adopting_ = true;
  deps_.executor.Post([this] { AdoptAgainAndAgain(); });
}

void Runner::AdoptAgainAndAgain() {
  const absl::Status looked = AdoptOpenRuns();
  if (!looked.ok()) LogWarning("open runs not looked at", {{"error", looked}});
  MutexLock lock(mu_);
  if (!draining_) {
    adoption_timer_ = deps_.executor.PostAfter(
        options_.lease_ttl / 2, [this] { AdoptAgainAndAgain(); });
    return;
  }
  adopting_ = false;
  ended_cv_.SignalAll();
}

absl::Status Runner::AdoptOpenRuns() {
  KINORA_ASSIGN_OR_RETURN(const std::vector<v1::RunRecord> open,
                          OpenRunsOf(/*movie_id=*/""));
  CancelOrphans(open);
  for (const v1::RunRecord& record : open) {
    TellObstacle(record.run_id(), Adopt(record));
  }
  // What was open goes first.
  KINORA_ASSIGN_OR_RETURN(const std::vector<v1::RunRecord> queued,
                          QueuedRunsOf(/*movie_id=*/""));
  CancelOrphans(queued);
  std::set<std::string> movies;
  for (const v1::RunRecord& record : queued) movies.insert(record.movie_id());
  for (const std::string& movie_id : movies) BeginQueued(movie_id);
  return absl::OkStatus();
}

absl::Status Runner::AdoptOpenRun(const std::string& run_id) {
  KINORA_ASSIGN_OR_RETURN(const v1::RunRecord record, RecordOf(run_id));
  return Adopt(record);
}

// Once, not every time.
void Runner::TellObstacle(const std::string& run_id,
                          const absl::Status& status) {
  // That another has it says nothing of its ledger.
  if (!status.ok()) TellDamage(run_id, status);
  {
    MutexLock lock(mu_);
    if (status.ok()) {
      obstacles_.erase(run_id);
      return;
    }
    std::string& told = obstacles_[run_id];
    if (told == status.message()) return;
    told = std::string(status.message());
  }
  LogWarning("a run cannot go on yet", {{"run", run_id}, {"error", status}});
}

absl::Status Runner::Adopt(const v1::RunRecord& record) {
  const absl::StatusOr<std::unique_ptr<StartSlot>> slot =
      StartSlot::Take(*this, record.movie_id());
  if (!slot.ok()) return absl::OkStatus();  // it is active here, or about to be
  return AdoptInSlot(record);
}

absl::Status Runner::AdoptInSlot(const v1::RunRecord& record) {
  const std::string& movie_id = record.movie_id();
  v1::GetLeaseRequest get;
  get.set_lease_id(LeaseIdOf(movie_id));
  const absl::StatusOr<v1::GetLeaseResponse> held = deps_.store.leases.Get(get);
  KINORA_RETURN_IF_ERROR(InTheWay(held.status(), movie_id));
  if (FromProto(held->lease().expires_in()) > absl::ZeroDuration()) {
    return absl::OkStatus();
  }
  // What may pass is waited for without the lease.
  absl::StatusOr<std::shared_ptr<const v1::Plan>> plan = GivenUp();
  if (!record.stepwise()) plan = LoadPlan(movie_id, record.plan_hash());
  DeclaredPrices prices;
  const absl::Status ready =
      plan.ok() ? CheckProducers(**plan, {}, &prices) : plan.status();
  if (!ready.ok()) {
    if (MayPass(ready)) return ready;
    plan = ready;
  }
  const absl::StatusOr<v1::LeaseToken> lease =
      TryAcquire(movie_id, record.run_id());
  if (ReasonOf(lease.status()) == "LEASE_HELD") return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(InTheWay(lease.status(), movie_id));
  const absl::StatusOr<bool> goes_on =
      AdoptUnderLease(record.run_id(), plan, prices, *lease);
  if (!goes_on.ok() || !*goes_on) Release(*lease);
  return goes_on.status();
}

absl::StatusOr<bool> Runner::AdoptUnderLease(
    const std::string& run_id,
    const absl::StatusOr<std::shared_ptr<const v1::Plan>>& plan,
    const DeclaredPrices& prices, const v1::LeaseToken& lease) {
  // It may have ended before the lease was ours.
  KINORA_ASSIGN_OR_RETURN(v1::RunRecord record, RecordOf(run_id));
  if (IsTerminal(record.status())) return false;
  RunPast past;
  if (record.has_budget()) past.RestoreCap(record.budget());
  bool has_ended = false;
  int64_t through = 0;
  absl::Status folded;
  absl::Status possible = plan.status();
  // Each reads a long log, the ledger and that of the artefacts.
  RunBeside(
      deps_.executor,
      [&] {
        if (plan.ok()) possible = CheckBase(**plan);
      },
      [&] {
        const auto take = [&past, &has_ended](const v1::Event& event) {
          past.Apply(event.ledger());
          has_ended = has_ended || IsEnd(event.ledger());
        };
        folded = FoldLedger(deps_.store.events, record.movie_id(), run_id,
                            &through, take, &deps_.executor);
      });
  KINORA_RETURN_IF_ERROR(folded);
  // A run does not end for an error that is over when it is looked at again.
  if (!has_ended && plan.ok() && MayPass(possible) &&
      ReasonOf(possible) != "BASE_CHANGED") {
    return possible;
  }
  if (has_ended || !possible.ok()) {
    KINORA_RETURN_IF_ERROR(CloseRun(
        record, lease,
        record.stepwise()
            ? std::string(possible.message())
            : absl::StrCat("its runner was lost, and no other can go on: ",
                           possible.message())));
    return false;
  }
  past.set_through(through);
  KINORA_ASSIGN_OR_RETURN(RunState state, StateOf(record, *plan));
  TakeTold(record, past, &state);
  WriteMoney(past.budget(), &record);
  RunBudget budget = BudgetOf(record, **plan, prices, past.budget());
  KINORA_RETURN_IF_ERROR(
      InTheWay(LimitByMovie(record, &budget), record.movie_id()));
  if (through == 0) {
    KINORA_RETURN_IF_ERROR(AppendCreated(record, lease));
  }
  record.set_status(v1::RUN_STATUS_RUNNING);
  record.clear_wait();
  KINORA_RETURN_IF_ERROR(PutRecord(record, lease));
  // What it calls belongs to the trace of the call that started it.
  TraceScope trace(
      TraceContext::Parse(record.traceparent()).value_or(TraceContext()));
  LogInfo("run adopted", {{"run", run_id}, {"movie", record.movie_id()}});
  Launch(record, *plan, std::move(state), std::move(past), std::move(budget),
         lease);
  return true;
}

void Runner::TakeTold(const v1::RunRecord& record, const RunPast& past,
                      RunState* state) {
  {
    MutexLock lock(mu_);
    if (look_up_all_.erase(record.run_id()) > 0) return;
  }
  TakeToldResults(deps_.store.events, deps_.store.blobs, record, past, state);
}

}  // namespace kinora

// The part of Runner that has no two runners carry out a job of a stepwise run
// at the same time.
//
// A call takes a lease of its own, writes into the run's ledger which jobs it
// claims, and reads the ledger up to that: of two claims on a job the earlier
// one holds while its call has its lease. So a job is free once the call that
// had it has released its lease, or let it expire; then the lease is taken away
// from it, so that a runner which was only slow learns that it has lost it.

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/proto_time.h"
#include "common/status.h"
#include "services/runner/past/run_events.h"
#include "services/runner/runner.h"
#include "services/runner/runner_step.h"
#include "services/runner/steps/job_claims.h"

namespace kinora {
namespace {

// How often a call that waits for another runner looks for its end.
constexpr absl::Duration kLookPeriod = absl::Milliseconds(100);

}  // namespace

absl::StatusOr<bool> Runner::IsCarriedOut(const std::string& run_id,
                                          const std::string& call) {
  v1::GetLeaseRequest get;
  get.set_lease_id(StepLeaseId(run_id, call));
  KINORA_ASSIGN_OR_RETURN(const v1::GetLeaseResponse held,
                          deps_.store.leases.Get(get));
  if (!held.has_lease()) return false;
  if (FromProto(held.lease().expires_in()) > absl::ZeroDuration()) return true;
  v1::AcquireLeaseRequest acquire;
  acquire.set_lease_id(get.lease_id());
  acquire.set_holder(holder_);
  acquire.set_purpose("its runner is gone");
  *acquire.mutable_ttl() = ToProto(options_.lease_ttl);
  const absl::StatusOr<v1::AcquireLeaseResponse> taken =
      deps_.store.leases.Acquire(acquire);
  if (ReasonOf(taken.status()) == "LEASE_HELD") return true;
  if (ReasonOf(taken.status()) == "LEASE_LOST") return false;
  KINORA_RETURN_IF_ERROR(taken.status());
  Release(taken->lease().token());
  return false;
}

absl::StatusOr<bool> Runner::AreFree(const Step& step,
                                     const std::string& call) {
  const std::set<std::string> rivals =
      step.run->ClaimedBefore(call, step.claimed);
  for (const std::string& rival : rivals) {
    KINORA_ASSIGN_OR_RETURN(const bool goes_on,
                            IsCarriedOut(step.record.run_id(), rival));
    if (goes_on) return false;
    step.run->ForgetClaims(rival, step.claimed);
  }
  return true;
}

absl::StatusOr<bool> Runner::ClaimJobs(Step* step) {
  // Who finds them taken writes nothing.
  KINORA_RETURN_IF_ERROR(step->run->CatchUp(deps_.store.events));
  KINORA_ASSIGN_OR_RETURN(const bool were_free, AreFree(*step, ""));
  if (!were_free || step->claimed.empty()) return were_free;
  const v1::RunRecord& record = step->record;
  const std::string call =
      absl::StrCat(absl::Hex(deps_.random.Next(), absl::kZeroPad16));
  v1::AcquireLeaseRequest acquire;
  acquire.set_lease_id(StepLeaseId(record.run_id(), call));
  acquire.set_holder(holder_);
  acquire.set_purpose("a step");
  *acquire.mutable_ttl() = ToProto(options_.lease_ttl);
  KINORA_ASSIGN_OR_RETURN(const v1::AcquireLeaseResponse taken,
                          deps_.store.leases.Acquire(acquire));
  std::weak_ptr<StepCall> weak = step->call;
  step->claim = std::make_shared<StepClaim>(
      deps_.store.leases, call,
      LeaseKeeper::Start(
          deps_.store.leases,
          deps_.renewals == nullptr ? deps_.executor : *deps_.renewals,
          deps_.watchdog == nullptr ? deps_.executor : *deps_.watchdog,
          deps_.clock, taken.lease().token(), options_.lease_ttl, [weak] {
            if (auto alive = weak.lock()) alive->LoseClaim();
          }));
  v1::AppendEventsRequest append;
  for (v1::JobEvent& claim : ClaimEvents(call, step->claimed)) {
    v1::Event event = LedgerEventAt(
        {record.movie_id(), record.run_id(), record.target_revision()},
        NowMillis(deps_.clock));
    *event.mutable_ledger()->mutable_job() = std::move(claim);
    if (append.events().empty()) {
      append = LedgerAppend({record.movie_id(), record.run_id(), ""},
                            step->call->request().lease, std::move(event));
    } else {
      *append.add_events() = std::move(event);
    }
  }
  KINORA_RETURN_IF_ERROR(AppendAndTell(append).status());
  KINORA_RETURN_IF_ERROR(step->run->CatchUp(deps_.store.events));
  return AreFree(*step, call);
}

void Runner::Unclaim(Step* step) {
  if (step->claim != nullptr) {
    step->run->ForgetClaims(step->claim->call(), step->claimed);
    step->claim.reset();
  }
  LetGo(step->run, step->claimed);
}

// It is taken up again now and then, and finds what has become of the jobs.
absl::Status Runner::WaitForOthers(const std::shared_ptr<StepCall>& call) {
  call->Wait();
  std::weak_ptr<StepCall> weak = call;
  deps_.executor.PostAfter(kLookPeriod, [this, weak] {
    // A call that waits keeps the runner.
    auto alive = weak.lock();
    if (alive != nullptr && alive->EndWait()) TakeUp(alive);
  });
  return StayWaiting(call);
}

absl::Status Runner::StayWaiting(const std::shared_ptr<StepCall>& call) {
  const bool may_wait = call->MayGoOn().ok() && !call->TimedOut().has_value();
  return may_wait || !call->EndWait() ? absl::OkStatus() : Advance(call);
}

}  // namespace kinora

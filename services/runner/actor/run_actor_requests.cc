// The part of RunActor that heeds what is asked of the run in its ledger. Who
// asks may be another process: whoever has the run's lease for a moment appends
// the request there, and that is all there is to it.

#include <memory>
#include <string>
#include <utility>

#include "common/run_end.h"
#include "common/telemetry/log.h"
#include "services/runner/actor/run_actor.h"
#include "services/store/event/ledger_log.h"

namespace kinora {
namespace {

bool IsSame(const v1::RunWait& a, const v1::RunWait& b) {
  return a.reason() == b.reason() && a.message() == b.message() &&
         a.until().seconds() == b.until().seconds() &&
         a.until().nanos() == b.until().nanos();
}

}  // namespace

void RunActor::Heed() { Post(HeedCall{}); }

void RunActor::WatchLedger() {
  watch_ = std::make_unique<LedgerWatch>(
      deps_.store.events, deps_.executor, LedgerLog(movie_id(), run_id()),
      past_.has_value() ? past_->through() : 0, [weak = weak_from_this()] {
        if (auto self = weak.lock()) self->Heed();
      });
}

void RunActor::HeedRequests() {
  watch_->Read([this](const v1::Event& event) { HeedRequest(event); });
}

void RunActor::HeedRequest(const v1::Event& event) {
  const v1::LedgerEvent& ledger = event.ledger();
  if (TellsOfQuestion(ledger.job().type())) Learn(ledger);
  if (ledger.job().type() == "retry" && !IsOwnRetry(event.sequence())) {
    Take(RetryCall{waits_.ToldBefore(ledger.job().job_id(), event.sequence())});
  }
  // A step's caller ends it by ending the call.
  if (step_ != nullptr) return;
  pauses_.Apply(ledger);
  if (ledger.has_run_budget()) {
    HeedBudget(ledger, event.sequence());
    Take(BudgetSet{});
  }
  if (ledger.run_waiting().reason() == kCancelling) {
    Take(CancelCall{ledger.run_waiting().message()});
  } else if (ledger.has_run_waiting() &&
             ledger.run_waiting().producer().empty()) {
    // Somebody else may have told it: then it is not the end of it that this
    // run has told.
    if (ledger.run_waiting().until_ms() != told_wait_.until_ms()) {
      told_until_ = INT64_MAX;
    }
    told_wait_ = ledger.run_waiting();
    waiting_for_ = told_wait_.reason();
  } else if (ledger.has_run_resumed() &&
             ledger.run_resumed().producer().empty()) {
    waiting_for_.clear();
  }
}

// So that it goes on as soon as somebody lets it.
void RunActor::FollowWhileWaiting() {
  if (waiting_for_.empty() || stopping_ || state_.finished() ||
      step_ != nullptr) {
    return;
  }
  watch_->Follow();
}

// For those who list runs; the ledger decides.
void RunActor::RecordStatus() {
  const v1::RunStatus status =
      waiting_for_.empty() ? v1::RUN_STATUS_RUNNING : v1::RUN_STATUS_WAITING;
  // A step is not all of the run.
  if (state_.finished() || stopping_ || step_ != nullptr) return;
  v1::RunWait wait;
  if (!waiting_for_.empty()) wait = RecordedWait(told_wait_);
  if (record_.status() == status && IsSame(record_.wait(), wait)) return;
  record_.set_status(status);
  if (waiting_for_.empty()) {
    record_.clear_wait();
  } else {
    *record_.mutable_wait() = std::move(wait);
  }
  const absl::Status put = PutRecord();
  if (!put.ok()) {
    LogWarning("run record not written", {{"run", run_id()}, {"error", put}});
  }
}

}  // namespace kinora

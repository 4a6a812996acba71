// The part of RunActor that heeds what is asked of the run in its ledger. Who
// asks may be another process: whoever has the run's lease for a moment appends
// the request there, and that is all there is to it.

#include <memory>
#include <string>
#include <utility>

#include "common/log.h"
#include "common/run_end.h"
#include "services/runner/run_actor.h"

namespace kinora {
namespace {

// The longest time a request of another process is not seen by a run that goes
// on. One that waits sees it at once, and no money is reserved before a cap was
// heeded, see TellBatch().
constexpr absl::Duration kHeedPeriod = absl::Seconds(2);
// After a reading that has failed.
constexpr absl::Duration kCatchUpPeriod = absl::Milliseconds(250);

}  // namespace

void RunActor::Heed() { Post(HeedCall{}); }

void RunActor::HeedNowAndThen() {
  std::weak_ptr<RunActor> weak = weak_from_this();
  deps_.executor.PostAfter(kHeedPeriod, [weak] {
    const std::shared_ptr<RunActor> self = weak.lock();
    if (self == nullptr) return;
    self->Heed();
    self->HeedNowAndThen();
  });
}

void RunActor::HeedRequests() {
  v1::ReadEventsRequest read;
  read.mutable_log()->set_movie_id(movie_id());
  read.mutable_log()->set_kind(v1::LOG_KIND_LEDGER);
  read.mutable_log()->set_run_id(run_id());
  for (;;) {
    read.set_after_sequence(heeded_);
    const absl::StatusOr<v1::ReadEventsResponse> page =
        deps_.store.events.ReadPage(read);
    if (!page.ok()) {
      LogWarning("requests to a run not read yet",
                 {{"run", run_id()}, {"error", page.status()}});
      behind_ = true;
      return CatchUpSoon();
    }
    for (const v1::Event& event : page->events()) {
      const v1::LedgerEvent& ledger = event.ledger();
      if (ledger.job().type() == "answered") Learn(ledger);
      if (ledger.job().type() == "retry") Retry(ledger.job().job_id());
      // A step's caller ends it by ending the call.
      if (step_ != nullptr) continue;
      pauses_.Apply(ledger);
      if (ledger.has_run_budget()) {
        HeedBudget(ledger, event.sequence());
        Take(BudgetSet{});
      }
      if (ledger.run_waiting().reason() == kCancelling) {
        Take(CancelCall{ledger.run_waiting().message()});
      } else if (ledger.has_run_waiting() &&
                 ledger.run_waiting().producer().empty()) {
        waiting_for_ = ledger.run_waiting().reason();
      } else if (ledger.has_run_resumed() &&
                 ledger.run_resumed().producer().empty()) {
        waiting_for_.clear();
      }
    }
    if (page->bookmark().sequence() <= heeded_) {
      behind_ = false;
      return;
    }
    heeded_ = page->bookmark().sequence();
  }
}

void RunActor::CatchUpSoon() {
  if (std::exchange(catch_up_timed_, true)) return;
  std::weak_ptr<RunActor> weak = weak_from_this();
  deps_.executor.PostAfter(kCatchUpPeriod, [weak] {
    HeedCall call;
    call.catches_up = true;
    if (auto self = weak.lock()) self->Post(call);
  });
}

// Who waits appends nothing that would show what others have appended, and is
// to go on as soon as somebody lets it.
void RunActor::FollowWhileWaiting() {
  if (waiting_for_.empty() || follow_ != 0 || behind_) return;
  if (stopping_ || state_.finished() || step_ != nullptr) return;
  v1::LogName log;
  log.set_movie_id(movie_id());
  log.set_kind(v1::LOG_KIND_LEDGER);
  log.set_run_id(run_id());
  std::weak_ptr<RunActor> weak = weak_from_this();
  follow_ = deps_.store.events.NotifyAfter(log, heeded_, [weak] {
    HeedCall call;
    call.follows = true;
    if (auto self = weak.lock()) self->Post(call);
  });
}

// What this run appends holds no requests. If it does not follow what was seen
// last, somebody else has appended something.
void RunActor::NoteAppended(const v1::AppendEventsResponse& appended) {
  if (step_ != nullptr) return;
  const bool follows = appended.first_sequence() == heeded_ + 1;
  // The first event of a run is its runner's.
  const bool begins = heeded_ == 0 && appended.first_sequence() == 2;
  if (follows || begins) {
    heeded_ = appended.last_sequence();
  } else {
    Heed();
  }
}

// For those who list runs; the ledger decides.
void RunActor::RecordStatus() {
  const v1::RunStatus status =
      waiting_for_.empty() ? v1::RUN_STATUS_RUNNING : v1::RUN_STATUS_WAITING;
  // A step is not all of the run.
  if (record_.status() == status || state_.finished() || stopping_ ||
      step_ != nullptr) {
    return;
  }
  record_.set_status(status);
  const absl::Status put = PutRecord();
  if (!put.ok()) {
    LogWarning("run record not written", {{"run", run_id()}, {"error", put}});
  }
}

}  // namespace kinora

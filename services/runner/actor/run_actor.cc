#include "services/runner/actor/run_actor.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "common/run_end.h"
#include "common/status.h"
#include "services/runner/calls/passing_error.h"

namespace kinora {

std::shared_ptr<RunActor> RunActor::Create(
    const RunActorDeps& deps, v1::RunRecord record,
    std::shared_ptr<const v1::Plan> plan, RunState state,
    std::optional<RunPast> past, RunBudget budget, const v1::LeaseToken& lease,
    absl::Duration lease_ttl, absl::AnyInvocable<void()> on_ended) {
  std::shared_ptr<RunActor> actor(
      new RunActor(deps, std::move(record), std::move(plan), std::move(state),
                   std::move(past), std::move(budget), std::move(on_ended)));
  std::weak_ptr<RunActor> weak = actor;
  Executor& watchdog =
      deps.watchdog == nullptr ? deps.executor : *deps.watchdog;
  Executor& renewals =
      deps.renewals == nullptr ? deps.executor : *deps.renewals;
  actor->lease_ = LeaseKeeper::Start(deps.store.leases, renewals, watchdog,
                                     deps.clock, lease, lease_ttl, [weak] {
                                       if (auto self = weak.lock())
                                         self->LoseLease();
                                     });
  actor->TakeSeat();
  actor->WatchLedger();
  return actor;
}

RunActor::RunActor(const RunActorDeps& deps, v1::RunRecord record,
                   std::shared_ptr<const v1::Plan> plan, RunState state,
                   std::optional<RunPast> past, RunBudget budget,
                   absl::AnyInvocable<void()> on_ended)
    : deps_(deps),
      identity_{record.movie_id(), record.run_id(), record.target_revision()},
      plan_(std::move(plan)),
      trace_(CurrentTrace()),
      strand_(deps.executor),
      questions_(past.has_value() ? past->questions() : RunQuestions()),
      budget_(std::move(budget)),
      record_(std::move(record)),
      state_(std::move(state)),
      past_(std::move(past)),
      times_(state_, deps.clock),
      meter_(deps.metrics, deps.clock, plan_),
      on_ended_(std::move(on_ended)),
      logs_(past_.has_value() ? past_->logs() : LogIntake()),
      lines_told_(logs_.total()),
      lines_through_(
          std::max<int64_t>(1, past_.has_value() ? past_->through() : 0)),
      removed_artefact_ids_(plan_->removed_artefact_ids().begin(),
                            plan_->removed_artefact_ids().end()),
      looks_(deps.executor),
      pauses_(past_.has_value() ? past_->pauses() : RunPauses()) {}

void RunActor::Start() { Post(Begun{}); }

absl::Status RunActor::Cancel(const std::string& reason) {
  MutexLock alone(end_mu_);
  KINORA_RETURN_IF_ERROR(CheckOpen());
  const std::string why = reason.empty() ? "cancelled by request" : reason;
  v1::Event event = LedgerEventAt(identity_, NowMillis(deps_.clock));
  v1::RunWaitingEvent* waiting = event.mutable_ledger()->mutable_run_waiting();
  waiting->set_reason(std::string(kCancelling));
  waiting->set_message(why);
  KINORA_RETURN_IF_ERROR(
      deps_.store.events
          .Append(LedgerAppend(identity_, lease_->token(), std::move(event)))
          .status());
  Post(CancelCall{why});
  return absl::OkStatus();
}

absl::Status RunActor::CheckOpen() const {
  if (!closing()) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("run ", run_id(), " is about to end"));
}

void RunActor::Close() {
  MutexLock alone(end_mu_);
  closing_.store(true);
}

void RunActor::Stop(bool now) { Post(StopCall{now}); }

void RunActor::LoseLease() {
  // First: what the attempts say of their end is not to be counted.
  Post(LeaseLost{});
  attempt_calls_.CancelAll();
}

void RunActor::Post(RunMessage message) {
  {
    MutexLock lock(mu_);
    inbox_.push_back(std::move(message));
  }
  Wake();
}

void RunActor::Wake() {
  {
    MutexLock lock(mu_);
    if (std::exchange(posted_, true)) return;
  }
  strand_.Post([self = shared_from_this()] { self->Process(); });
}

void RunActor::Process() {
  std::vector<RunMessage> messages = TakeMessages();
  if (ended_ || saving_) return;
  TraceScope trace(trace_);
  const absl::Status status = Work(std::move(messages));
  if (!status.ok()) return GiveUp(status);
  if (!arrived_.empty()) Wake();
}

absl::Status RunActor::Work(std::vector<RunMessage> messages) {
  bool begun = false;
  bool heeds = false;
  for (const RunMessage& message : messages) {
    heeds = heeds || std::holds_alternative<HeedCall>(message) ||
            std::holds_alternative<QuestionsDue>(message);
  }
  // Before this run has anything to say that is not in the ledger yet.
  if (heeds) HeedRequests();
  meter_.BeginPass();
  for (RunMessage& message : messages) {
    begun = begun || std::holds_alternative<Begun>(message);
    std::visit([this](auto& what) { Take(what); }, message);
  }
  if (lease_lost_ && step_ != nullptr) {
    return absl::UnavailableError(
        "the store could not be reached in time to keep other runners from "
        "the jobs: call again");
  }
  if (lease_lost_) {
    return absl::AbortedError(
        absl::StrCat("run ", run_id(), " lost the lease on its movie"));
  }
  if (begun) {
    std::vector<const v1::ReusedJob*> reused;
    for (const v1::ReusedJob& job : plan_->reused()) reused.push_back(&job);
    KINORA_RETURN_IF_ERROR(Reuse(reused));
  }
  KINORA_RETURN_IF_ERROR(FlushArtefacts());
  for (RunFact& fact : facts_) ApplyFact(std::move(fact));
  facts_.clear();
  resolved_.clear();
  KINORA_RETURN_IF_ERROR(TakeExpansion());

  if (begun) RecallDurations();

  std::vector<JobIndex> starts;
  seat_->Look();
  if (!stopping_) KINORA_RETURN_IF_ERROR(Dispatch(&starts));
  SettlePlaces();
  TellWaiting();
  KINORA_RETURN_IF_ERROR(TellBatch(&starts));
  if (!starts.empty()) SettleBudgetQuestion();
  KINORA_RETURN_IF_ERROR(
      Append(v1::LOG_KIND_ARTEFACTS, approvals_.to_append()));
  WatchQuestions();
  TellStepDone();
  // That the ledger has these calls may have been answered long after it was
  // so, and another may have the run by now.
  if (!starts.empty()) KINORA_RETURN_IF_ERROR(ConfirmLease());
  for (JobIndex job : starts) StartAttempt(job);
  RecordStatus();
  FollowWhileWaiting();
  if (!stopping_) AskForExpansion();

  if (expanding_) {
    // The next question may be half a minute away; one that is asked now is
    // waited for.
    if (stopping_ && running_.empty()) End();
    return absl::OkStatus();
  }
  if (state_.finished()) {
    // A cancellation that was accepted holds, also at the last moment; from now
    // on none is.
    Close();
    if (step_ == nullptr) HeedRequests();
    if (step_ == nullptr && IsOutage(watch_->last_read())) {
      // The ledger may hold one that another runner has accepted: this run does
      // not end before it was read, to which the watch wakes it, or goes to
      // whoever adopts it.
      if (stopping_) End();
      return absl::OkStatus();
    }
    for (RunFact& fact : facts_) ApplyFact(std::move(fact));
    facts_.clear();
    return Finish();
  }
  if (stopping_ && running_.empty()) End();
  return absl::OkStatus();
}

void RunActor::Take(const Begun&) {
  looks_.NoteNews();
  if (past_.has_value()) RecallApprovals();
  if (step_ != nullptr) return BeginStep();
  if (past_.has_value()) GoOn();
  if (past_.has_value() && past_->has_started()) return;
  v1::RunStartedEvent* started = AddLedger()->mutable_run_started();
  started->set_movie_id(movie_id());
  started->set_runtime_backend("kinora");
}

// With a run that another process began.
void RunActor::GoOn() {
  AddLedger()->mutable_run_resumed()->set_reason("adopted");
  for (const std::string& job_id : past_->Interrupted()) {
    v1::JobEvent* event = AddLedger()->mutable_job();
    event->set_type("recovering");
    event->set_job_id(job_id);
    event->set_message(absl::StrCat("attempt ", past_->Of(job_id).attempts,
                                    " was interrupted with its runner"));
  }
  LeaveAlone();
  if (past_->cancel_reason().has_value()) {
    Take(CancelCall{*past_->cancel_reason()});
  }
}

void RunActor::Take(const RetryTimer& timer) {
  // One of a wait that somebody has cut short; the job may be in doubt by now,
  // and wait for another reason.
  if (timer.attempt != state_.attempts(timer.job) ||
      retrying_.erase(timer.job) == 0) {
    return;
  }
  waits_.End(state_.job(timer.job).job_id());
  facts_.push_back(RetryDue{timer.job});
}

void RunActor::Take(const CancelCall& call) {
  if (state_.cancelled() && !refused_expansion_.has_value()) return;
  // Also of one that is about to fail for its plan: what was accepted holds.
  refused_expansion_.reset();
  cancel_reason_ = call.reason;
  CancelJobs();
}

void RunActor::CancelJobs() {
  facts_.push_back(CancelRequested{});
  doubts_.clear();
  retrying_.clear();
  waits_.Clear();
  // The end cuts the call short.
  expanding_ = false;
  CancelAttempts();
}

void RunActor::Take(const StopCall& call) {
  stopping_ = true;
  if (call.now) CancelAttempts();
}

void RunActor::Take(const LeaseLost&) { lease_lost_ = true; }

absl::Status RunActor::Dispatch(std::vector<JobIndex>* starts) {
  held_ = HeldStarts();
  auto gate = [this](JobIndex job) { return MayStart(job); };
  for (RunCommands commands = state_.NextCommands(gate); !commands.empty();
       commands = state_.NextCommands(gate)) {
    meter_.Ready(commands.look_ups);
    KINORA_RETURN_IF_ERROR(LookUp(commands.look_ups));
    for (JobIndex job : commands.doubts) {
      AskWhatBecameOf(job, absl::ZeroDuration());
    }
    for (JobIndex job : commands.starts) {
      v1::StepStartedEvent* started = AddLedger()->mutable_step_started();
      *started->mutable_step() = StepOf(state_, job);
      started->set_attempt(state_.attempts(job));
      started->set_inputs_hash(state_.key(job).Hex());
      const v1::Cost reserved = budget_.ReservedFor(state_.job(job).job_id());
      if (reserved.micros() > 0) *started->mutable_reserved() = reserved;
      if (past_.has_value()) past_->CallAgain(state_.job(job).job_id());
      starts->push_back(job);
    }
  }
  return absl::OkStatus();
}

void RunActor::ApplyFact(RunFact fact) {
  for (const JobChange& change : state_.Apply(std::move(fact))) {
    Report(change);
    if (retrying_.erase(change.job) > 0) {
      waits_.End(state_.job(change.job).job_id());
    }
    if (change.status != JobStatus::kRetrying) continue;
    retrying_[change.job] = {DeadlineAfter(deps_.clock, change.delay),
                             RetryAfter(change.failure) > absl::ZeroDuration()};
    BeginWait(change.job);
    times_.Wait(change.job, change.delay);
    std::weak_ptr<RunActor> weak = weak_from_this();
    const RetryTimer timer{change.job, state_.attempts(change.job)};
    deps_.executor.PostAfter(change.delay, [weak, timer] {
      if (auto self = weak.lock()) self->Post(timer);
    });
  }
}

bool RunActor::IsTold(const std::string& job_id, JobStatus status) const {
  return past_.has_value() && past_->Told(job_id, status);
}

void RunActor::Report(const JobChange& change) {
  if (step_ != nullptr) NoteForStep(change);
  const v1::Cost charged = TakeCharge(change.job);
  // Nobody asks any more whether its last attempt was paid for.
  const std::string& job_id = state_.job(change.job).job_id();
  if (change.status == JobStatus::kFailed) budget_.GiveUp(job_id);
  if (IsTold(job_id, change.status)) return;
  meter_.Changed(state_, change);
  v1::Event event =
      ChangeEvent(identity_, NowMillis(deps_.clock), state_, change, charged);
  if (event.ledger().kind_case() != v1::LedgerEvent::KIND_NOT_SET) {
    if (IsFinal(change.status)) {
      // What the job has asked needs no answer any more.
      questions_.Apply(event.ledger());
    }
    ledger_events_.push_back(std::move(event));
  }
}

v1::LedgerEvent* RunActor::AddLedger() {
  ledger_events_.push_back(LedgerEventAt(identity_, NowMillis(deps_.clock)));
  return ledger_events_.back().mutable_ledger();
}

}  // namespace kinora

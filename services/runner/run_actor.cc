#include "services/runner/run_actor.h"

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/log.h"
#include "common/proto_time.h"
#include "common/run_end.h"
#include "common/status.h"
#include "services/runner/passing_error.h"

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
      on_ended_(std::move(on_ended)),
      logs_(past_.has_value() ? past_->logs() : LogIntake()),
      removed_artefact_ids_(plan_->removed_artefact_ids().begin(),
                            plan_->removed_artefact_ids().end()),
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

void RunActor::Post(Message message) {
  {
    MutexLock lock(mu_);
    inbox_.push_back(std::move(message));
    if (posted_) return;
    posted_ = true;
  }
  strand_.Post([self = shared_from_this()] { self->Process(); });
}

void RunActor::Process() {
  std::vector<Message> messages;
  {
    MutexLock lock(mu_);
    messages.swap(inbox_);
    posted_ = false;
  }
  if (ended_) return;
  TraceScope trace(trace_);
  const absl::Status status = Work(std::move(messages));
  if (!status.ok()) GiveUp(status);
}

absl::Status RunActor::Work(std::vector<Message> messages) {
  bool begun = false;
  bool heeds = false;
  for (const Message& message : messages) {
    heeds = heeds || std::holds_alternative<HeedCall>(message);
  }
  // Before this run has anything to say that is not in the ledger yet.
  if (heeds) HeedRequests();
  batch_nanos_ = 0;
  for (Message& message : messages) {
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
  for (const RunFact& fact : facts_) ApplyFact(fact);
  facts_.clear();
  resolved_.clear();
  KINORA_RETURN_IF_ERROR(TakeExpansion());

  if (begun) RecallDurations();

  std::vector<JobIndex> starts;
  seat_->Look();
  if (!stopping_) KINORA_RETURN_IF_ERROR(Dispatch(&starts));
  SettlePlaces();
  TellWaiting();
  // Before the ledger tells of them: who reads it there may ask at once.
  KeepWaits();
  KINORA_RETURN_IF_ERROR(TellBatch(&starts));
  if (!starts.empty()) SettleBudgetQuestion();
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
    for (const RunFact& fact : facts_) ApplyFact(fact);
    facts_.clear();
    return Finish();
  }
  if (stopping_ && running_.empty()) End();
  return absl::OkStatus();
}

void RunActor::Take(const Begun&) {
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
  // One of a wait that somebody has cut short.
  if (timer.attempt != state_.attempts(timer.job)) return;
  retrying_.erase(timer.job);
  facts_.push_back(RetryDue{timer.job});
}

void RunActor::Take(const CancelCall& call) {
  if (state_.cancelled()) return;
  cancel_reason_ = call.reason;
  facts_.push_back(CancelRequested{});
  doubts_.clear();
  retrying_.clear();
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
  held_by_pause_ = false;
  held_by_budget_ = false;
  awaits_place_ = false;
  auto gate = [this](JobIndex job) { return MayStart(job); };
  for (RunCommands commands = state_.NextCommands(gate); !commands.empty();
       commands = state_.NextCommands(gate)) {
    NoteReady(commands.look_ups);
    KINORA_RETURN_IF_ERROR(LookUp(commands.look_ups));
    for (JobIndex job : commands.doubts) {
      AskWhatBecameOf(job, absl::ZeroDuration());
    }
    for (JobIndex job : commands.starts) {
      v1::StepStartedEvent* started = AddLedger()->mutable_step_started();
      *started->mutable_step() = StepOf(state_, job);
      started->set_attempt(state_.attempts(job));
      started->set_inputs_hash(state_.key(job).Hex());
      const v1::Cost reserved = ReservedFor(job);
      if (reserved.micros() > 0) *started->mutable_reserved() = reserved;
      starts->push_back(job);
    }
  }
  return absl::OkStatus();
}

void RunActor::ApplyFact(const RunFact& fact) {
  for (const JobChange& change : state_.Apply(fact)) {
    Report(change);
    retrying_.erase(change.job);
    if (change.status != JobStatus::kRetrying) continue;
    retrying_.insert(change.job);
    WaitTime(change.job, change.delay);
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
  if (change.status == JobStatus::kFailed) ReleaseAttempt(change.job);
  if (IsTold(state_.job(change.job).job_id(), change.status)) return;
  CountChange(change);
  v1::Event event =
      ChangeEvent(identity_, NowMillis(deps_.clock), state_, change, charged);
  if (event.ledger().kind_case() != v1::LedgerEvent::KIND_NOT_SET) {
    if (IsFinal(change.status)) {
      // What the job has asked needs no answer any more.
      MutexLock lock(mu_);
      questions_.Apply(event.ledger());
    }
    ledger_events_.push_back(std::move(event));
  }
}

v1::LedgerEvent* RunActor::AddLedger() {
  ledger_events_.push_back(LedgerEventAt(identity_, NowMillis(deps_.clock)));
  return ledger_events_.back().mutable_ledger();
}

absl::Status RunActor::Finish() {
  if (step_ != nullptr) return FinishStep();
  KINORA_RETURN_IF_ERROR(BlockDeferred());
  *record_.mutable_jobs() = Counts();
  if (logs_.truncated()) {
    // Lets readers know how many lines there were in all.
    v1::LogAppendedEvent* log = AddLedger()->mutable_log_appended();
    log->set_first_seq(logs_.total() + 1);
    log->set_logs_truncated(true);
  }
  if (state_.cancelled()) {
    AddLedger()->mutable_run_cancelled()->set_error(cancel_reason_);
    return CloseRecord(v1::RUN_STATUS_CANCELLED, cancel_reason_);
  }
  if (state_.failed()) {
    const JobChange& first = state_.first_failure();
    const std::string error = absl::StrCat(
        "job ", state_.job(first.job).job_id(), ": ", first.failure.message());
    v1::RunFailedEvent* failed = AddLedger()->mutable_run_failed();
    failed->set_error(error);
    failed->set_result_json(ResultJson({}, false, record_.jobs()));
    return CloseRecord(v1::RUN_STATUS_FAILED, error);
  }
  return Commit();
}

absl::Status RunActor::Commit() {
  v1::CommitRevisionRequest request;
  request.set_movie_id(movie_id());
  v1::RevisionSource* source = request.mutable_source();
  source->set_target_revision(plan_->target_revision());
  source->set_base_manifest_hash(plan_->manifest_base_hash());
  source->set_run_id(run_id());
  source->set_plan_hash(record_.plan_hash());
  source->set_inputs_through_sequence(plan_->inputs_through_sequence());
  source->mutable_removed_artefact_ids()->Assign(removed_artefact_ids_.begin(),
                                                 removed_artefact_ids_.end());
  *request.mutable_lease() = lease_->token();
  absl::StatusOr<v1::CommitRevisionResponse> committed =
      deps_.store.manifests.Commit(request);
  if (!committed.ok()) return Annotate(committed.status(), "commit");

  const v1::ManifestPointer& current = committed->current();
  if (committed->published()) {
    record_.set_published_revision(current.revision());
  }
  record_.set_manifest_hash(current.hash());
  AddLedger()->mutable_run_completed()->set_result_json(
      ResultJson(current, committed->published(), record_.jobs()));
  return CloseRecord(v1::RUN_STATUS_COMPLETED, "");
}

// The terminal event first: the ledger decides, the record follows.
absl::Status RunActor::CloseRecord(v1::RunStatus status,
                                   const std::string& error) {
  Close();
  KINORA_RETURN_IF_ERROR(FlushLedger());
  if (deps_.metrics != nullptr) deps_.metrics->RunClosed(status);
  record_.set_status(status);
  record_.set_error(error);
  *record_.mutable_finish_time() = ToProto(deps_.clock.Now());
  const absl::Status put = PutRecord();
  if (!put.ok()) {
    LogWarning("run record not written", {{"run", run_id()}, {"error", put}});
  }
  LogInfo("run ended", {{"run", run_id()},
                        {"status", v1::RunStatus_Name(status)},
                        {"error", error}});
  End();
  return absl::OkStatus();
}

// The run cannot go on here. With the lease, it ends as failed; without,
// nothing more may be written, and whoever has the lease now decides. Where
// only the store was out of reach it is left open: it is adopted once the store
// is back.
void RunActor::GiveUp(const absl::Status& why) {
  LogError("run given up", {{"run", run_id()}, {"error", why}});
  CancelAttempts();
  if (step_ != nullptr) return EndStep(why);
  if (lease_lost_ || ReasonOf(why) == "LEASE_LOST" || IsOutage(why)) {
    return End();
  }
  artefact_events_.clear();
  ledger_events_.clear();
  *record_.mutable_jobs() = Counts();
  const std::string error(why.message());
  AddLedger()->mutable_run_failed()->set_error(error);
  const absl::Status closed = CloseRecord(v1::RUN_STATUS_FAILED, error);
  if (closed.ok()) return;
  LogError("run left open", {{"run", run_id()}, {"error", closed}});
  End();
}

void RunActor::End() {
  if (step_ != nullptr) {
    return EndStep(
        absl::UnavailableError("the runner is shutting down: call again"));
  }
  ended_ = true;
  watch_.reset();
  places_.clear();
  seat_.reset();
  lease_->Stop();
  // One that is lost is nobody's to give up, and to say so may take long.
  if (!lease_lost_ && !lease_->lost()) {
    v1::ReleaseLeaseRequest request;
    *request.mutable_token() = lease_->token();
    const absl::Status released = deps_.store.leases.Release(request).status();
    if (!released.ok()) {
      LogWarning("lease not released",
                 {{"run", run_id()}, {"error", released}});
    }
  }
  open_calls_.Close([this] { std::move(on_ended_)(); });
}

}  // namespace kinora

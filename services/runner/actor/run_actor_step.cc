// The part of RunActor that carries out a step of a run: what differs when the
// caller has the lease, and other steps of the run may go on beside it.

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/runner/actor/run_actor.h"

namespace kinora {

std::shared_ptr<RunActor> RunActor::CreateStep(
    const RunActorDeps& deps, v1::RunRecord record,
    std::shared_ptr<const v1::Plan> part, RunState state, RunPast past,
    const v1::LeaseToken& lease, RunStep step) {
  std::shared_ptr<RunActor> actor(
      new RunActor(deps, std::move(record), std::move(part), std::move(state),
                   std::move(past), RunBudget(), nullptr));
  actor->lease_ = LeaseKeeper::OfCaller(deps.store.leases, deps.executor,
                                        deps.clock, lease);
  actor->TakeSeat();
  actor->WatchLedger();
  actor->step_ = std::make_unique<RunStep>(std::move(step));
  return actor;
}

void RunActor::CancelStep(const v1::Failure& why) { Post(StepCancel{why}); }

void RunActor::Take(const StepCancel& cancel) {
  if (state_.cancelled()) return;
  step_->cancelled = cancel.why;
  Take(CancelCall{cancel.why.message()});
}

// The caller's lease, and for a step the claim on its jobs as well.
absl::Status RunActor::ConfirmLease() {
  if (step_ != nullptr) KINORA_RETURN_IF_ERROR(step_->claim->Confirm());
  return lease_->Confirm();
}

void RunActor::BeginStep() {
  LeaveAlone();
  if (past_->has_started()) return;
  v1::RunStartedEvent* started = AddLedger()->mutable_run_started();
  started->set_movie_id(movie_id());
  started->set_runtime_backend("kinora");
}

void RunActor::NoteForStep(const JobChange& change) {
  if (change.status == JobStatus::kSucceeded ||
      change.status == JobStatus::kReused) {
    step_->done.insert(state_.job(change.job).job_id());
  }
  if (change.status == JobStatus::kFailed) {
    step_->failures[change.job] = change.failure;
  }
  // The run goes on, so its ledger must not say for ever that the job runs.
  const bool was_running =
      change.status == JobStatus::kCancelled &&
      (change.failure.reason() != v1::FAILURE_REASON_UNSPECIFIED ||
       awaited_.contains(change.job));
  if (!was_running) return;
  if (state_.in_doubt(change.job)) {
    return TellDoubt(change.job,
                     absl::StrCat("attempt ", state_.attempts(change.job),
                                  " was lost while its call was ended"));
  }
  v1::StepFailedEvent* failed = AddLedger()->mutable_step_failed();
  *failed->mutable_step() = StepOf(state_, change.job);
  failed->set_error(step_->cancelled.message());
  failed->set_attempt(state_.attempts(change.job));
}

// REQUIRES: the ledger has it.
void RunActor::TellStepDone() {
  if (step_ == nullptr || step_->done.empty()) return;
  step_->on_done(std::exchange(step_->done, {}));
}

absl::Status RunActor::FinishStep() {
  const absl::Status written = FlushLedger();
  if (!written.ok()) return written;
  EndStep(absl::OkStatus());
  return absl::OkStatus();
}

void RunActor::EndStep(const absl::Status& status) {
  ended_ = true;
  watch_.reset();
  LeaveSeat();
  lease_->Stop();
  absl::StatusOr<std::vector<v1::JobState>> ended = std::vector<v1::JobState>();
  if (!status.ok()) {
    ended = status;
  } else {
    for (size_t i = 0; i < state_.job_count(); ++i) {
      ended->push_back(StepStateOf(static_cast<JobIndex>(i)));
    }
  }
  open_calls_.Close([this, ended = std::move(ended)]() mutable {
    std::move(step_->on_ended)(std::move(ended));
  });
}

v1::JobState RunActor::StepStateOf(JobIndex job) const {
  v1::JobState state;
  state.set_job_id(state_.job(job).job_id());
  state.set_attempts(state_.attempts(job));
  switch (state_.status(job)) {
    case JobStatus::kSucceeded:
      state.set_status("completed");
      return state;
    case JobStatus::kReused:
      state.set_status("skipped");
      state.set_detail("reused");
      return state;
    case JobStatus::kFailed:
      state.set_status("failed");
      *state.mutable_failure() = step_->failures.at(job);
      break;
    default:
      state.set_status(state_.in_doubt(job) ? "in_doubt" : "failed");
      *state.mutable_failure() = step_->cancelled;
      break;
  }
  state.set_detail(state.failure().message());
  return state;
}

}  // namespace kinora

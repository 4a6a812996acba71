#include "services/runner/steps/step_call.h"

#include <utility>

#include "common/proto_time.h"
#include "common/status.h"

namespace kinora {
namespace {

template <typename Request>
StepRequest Common(const Request& request) {
  StepRequest step;
  step.movie_id = request.movie_id();
  step.plan_hash = request.plan_hash();
  step.run_id = request.run_id();
  step.lease = request.lease();
  return step;
}

}  // namespace

StepRequest StepRequestOf(const v1::ExecuteLayerRequest& request) {
  StepRequest step = Common(request);
  step.layer = request.layer();
  return step;
}

absl::StatusOr<StepRequest> StepRequestOf(
    const v1::ExecuteJobRequest& request) {
  StepRequest step = Common(request);
  step.job_id = request.job_id();
  if (!request.has_timeout()) return step;
  step.timeout = FromProto(request.timeout());
  if (*step.timeout > absl::ZeroDuration()) return step;
  return InvalidField("timeout", absl::FormatDuration(*step.timeout),
                      "must be positive; leave it out for none");
}

StepCall::StepCall(StepRequest request, TraceContext trace,
                   absl::AnyInvocable<void(Answer)> done)
    : request_(std::move(request)),
      trace_(std::move(trace)),
      done_(std::move(done)) {}

void StepCall::Begin(Executor& executor, Executor::TimerId timer,
                     absl::AnyInvocable<void()> wake) {
  MutexLock lock(mu_);
  executor_ = &executor;
  timer_ = timer;
  wake_ = std::move(wake);
}

void StepCall::Cancel(const v1::Failure& why) {
  MutexLock lock(mu_);
  if (cancelled_.has_value()) return;
  cancelled_ = why;
  if (actor_ != nullptr) actor_->CancelStep(why);
  if (wake_) wake_();
}

void StepCall::Stop(bool now) {
  MutexLock lock(mu_);
  stopped_ = true;
  stopped_now_ = stopped_now_ || now;
  if (actor_ != nullptr) actor_->Stop(now);
  if (wake_) wake_();
}

absl::StatusOr<std::vector<std::string>> StepCall::Retry(
    const std::string& job_id) {
  std::shared_ptr<RunActor> actor;
  {
    MutexLock lock(mu_);
    actor = actor_;
  }
  if (actor == nullptr) return std::vector<std::string>();
  return actor->Retry(job_id);
}

void StepCall::LoseClaim() {
  std::shared_ptr<RunActor> actor;
  {
    MutexLock lock(mu_);
    claim_lost_ = true;
    actor = actor_;
  }
  if (actor != nullptr) actor->LoseLease();
}

void StepCall::Heed() {
  MutexLock lock(mu_);
  if (actor_ != nullptr) actor_->Heed();
}

absl::Status StepCall::MayGoOn() const {
  MutexLock lock(mu_);
  if (stopped_) {
    return absl::UnavailableError("the runner is shutting down: call again");
  }
  if (!cancelled_.has_value() ||
      cancelled_->reason() == v1::FAILURE_REASON_DEADLINE_EXCEEDED) {
    return absl::OkStatus();
  }
  return absl::CancelledError(cancelled_->message());
}

std::optional<v1::Failure> StepCall::TimedOut() const {
  MutexLock lock(mu_);
  if (!cancelled_.has_value() ||
      cancelled_->reason() != v1::FAILURE_REASON_DEADLINE_EXCEEDED) {
    return std::nullopt;
  }
  return cancelled_;
}

void StepCall::Wait() {
  MutexLock lock(mu_);
  waiting_ = true;
}

bool StepCall::EndWait() {
  MutexLock lock(mu_);
  return std::exchange(waiting_, false);
}

void StepCall::Attach(std::shared_ptr<RunActor> actor) {
  MutexLock lock(mu_);
  actor_ = std::move(actor);
  if (cancelled_.has_value()) actor_->CancelStep(*cancelled_);
  if (stopped_) actor_->Stop(stopped_now_);
  if (claim_lost_) actor_->LoseLease();
}

void StepCall::Finish(Answer answer) {
  absl::AnyInvocable<void(Answer)> done;
  absl::AnyInvocable<void()> wake;  // destroyed outside the lock, as is:
  std::shared_ptr<RunActor> actor;
  Executor* executor = nullptr;
  Executor::TimerId timer = 0;
  {
    MutexLock lock(mu_);
    done = std::exchange(done_, nullptr);
    wake = std::exchange(wake_, nullptr);
    actor = std::exchange(actor_, nullptr);
    executor = executor_;
    timer = timer_;
  }
  if (timer != 0) executor->Cancel(timer);
  if (done) done(std::move(answer));
}

}  // namespace kinora

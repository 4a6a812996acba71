#include "services/runner/steps/stepwise_run.h"

#include <algorithm>
#include <utility>

#include "common/status.h"
#include "kinora/v1/event.pb.h"
#include "services/runner/past/ledger_fold.h"

namespace kinora {

StepwiseRun::StepwiseRun(std::string run_id, std::string plan_hash,
                         std::shared_ptr<const v1::Plan> plan)
    : run_id_(std::move(run_id)),
      plan_hash_(std::move(plan_hash)),
      parts_(std::move(plan)) {}

absl::Status StepwiseRun::Read(EventStore& events) {
  return FoldLedger(events, parts_.plan().movie_id(), run_id_, &read_through_,
                    [this](const v1::Event& event) {
                      past_mu_.AssertHeld();
                      past_.Apply(event.ledger());
                      claims_.Apply(event.ledger());
                    });
}

absl::StatusOr<RunPast> StepwiseRun::Past(EventStore& events) {
  MutexLock lock(past_mu_);
  KINORA_RETURN_IF_ERROR(Read(events));
  RunPast past = past_;
  past.ForgetFailures();
  past.set_through(read_through_);
  return past;
}

absl::Status StepwiseRun::Look(EventStore& events,
                               absl::FunctionRef<void(const RunPast&)> look) {
  MutexLock lock(past_mu_);
  KINORA_RETURN_IF_ERROR(Read(events));
  look(past_);
  return absl::OkStatus();
}

absl::Status StepwiseRun::CatchUp(EventStore& events) {
  MutexLock lock(past_mu_);
  return Read(events);
}

std::set<std::string> StepwiseRun::ClaimedBefore(
    const std::string& call, const std::vector<std::string>& jobs) {
  MutexLock lock(past_mu_);
  return claims_.Before(call, jobs);
}

void StepwiseRun::ForgetClaims(const std::string& call,
                               const std::vector<std::string>& jobs) {
  MutexLock lock(past_mu_);
  claims_.Forget(call, jobs);
}

bool StepwiseRun::Claim(const std::vector<std::string>& jobs,
                        const std::shared_ptr<StepCall>& call) {
  MutexLock lock(mu_);
  const bool free =
      std::none_of(jobs.begin(), jobs.end(), [this](const std::string& job) {
        mu_.AssertHeld();
        return under_way_.count(job) > 0;
      });
  if (free) {
    under_way_.insert(jobs.begin(), jobs.end());
    return true;
  }
  call->Wait();
  waiting_.push_back(call);
  return false;
}

std::vector<std::shared_ptr<StepCall>> StepwiseRun::Release(
    const std::vector<std::string>& jobs) {
  MutexLock lock(mu_);
  for (const std::string& job : jobs) under_way_.erase(job);
  return std::exchange(waiting_, {});
}

void StepwiseRun::StopWaiting(const std::shared_ptr<StepCall>& call) {
  MutexLock lock(mu_);
  waiting_.erase(std::remove(waiting_.begin(), waiting_.end(), call),
                 waiting_.end());
}

std::vector<std::shared_ptr<StepCall>> StepwiseRun::WaitingFor(
    const std::set<std::string>& jobs) {
  MutexLock lock(mu_);
  const auto others =
      std::stable_partition(waiting_.begin(), waiting_.end(),
                            [&jobs](const std::shared_ptr<StepCall>& call) {
                              return jobs.count(call->request().job_id) == 0;
                            });
  std::vector<std::shared_ptr<StepCall>> found(others, waiting_.end());
  waiting_.erase(others, waiting_.end());
  return found;
}

}  // namespace kinora

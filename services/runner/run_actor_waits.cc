// The part of RunActor for what does not go on by itself: it holds starts back,
// says for what the run waits, and cuts waits short.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "services/runner/run_actor.h"

namespace kinora {

// Whether a job whose turn it is may be called now. One that says no for what
// only somebody can change leaves the reason in `held_by_`.
bool RunActor::MayStart(JobIndex job) {
  if (holding_) {
    awaits_place_ = true;
    return false;
  }
  if (pauses_.Holds(state_.node(job).producer().name())) {
    held_by_ = std::string(kPaused);
    return false;
  }
  if (!TakePlace(job)) {
    awaits_place_ = true;
    return false;
  }
  // The last, as it takes the money.
  return MayAfford(job);
}

// For what the run waits if nothing goes on but by somebody's doing; empty if
// something does.
std::string RunActor::WaitReason() const {
  if (state_.cancelled() || state_.finished()) return "";
  // At once, though attempts may go on.
  if (pauses_.whole()) return std::string(kPaused);
  const size_t asking = AttemptsThatAsk();
  const size_t in_doubt = state_.count(JobStatus::kInDoubt);
  if (state_.count(JobStatus::kRunning) > asking ||
      state_.count(JobStatus::kRetrying) > 0 || in_doubt > doubts_.size()) {
    return "";
  }
  if (expansion_attempts_ > kPatientExpansions) return "planner";
  if (expanding_) return "";
  if (state_.count(JobStatus::kReady) > 0) {
    if (awaits_place_) return "";
    // Places may be held by attempts that wait for somebody.
    return held_by_.empty() && asking > 0 ? "question" : held_by_;
  }
  if (in_doubt > 0) return "in_doubt";
  return asking + state_.count(JobStatus::kAsking) > 0 ? "question" : "";
}

void RunActor::TellWaiting() {
  // A step is not all of the run.
  if (step_ != nullptr) return;
  std::string reason = WaitReason();
  v1::JobEvent over_budget;
  if (reason == kBudget) over_budget = OverBudget();
  std::string message = over_budget.message();
  if (reason == waiting_for_ && message == waiting_message_) {
    // A cap that was changed and changed back has settled the question.
    if (reason == kBudget) AskForBudget(over_budget);
    return;
  }
  if (!waiting_for_.empty() && reason != waiting_for_) {
    AddLedger()->mutable_run_resumed()->set_reason(waiting_for_);
  }
  if (reason == kBudget) AskForBudget(over_budget);
  if (!reason.empty()) {
    v1::RunWaitingEvent* waiting = AddLedger()->mutable_run_waiting();
    waiting->set_reason(reason);
    if (!message.empty()) waiting->set_message(message);
  }
  waiting_for_ = std::move(reason);
  waiting_message_ = std::move(message);
}

void RunActor::KeepWaits() {
  std::map<std::string, JobIndex> waits;
  for (const auto& [job, doubt] : doubts_) {
    waits.emplace(state_.job(job).job_id(), job);
  }
  for (JobIndex job : retrying_) waits.emplace(state_.job(job).job_id(), job);
  MutexLock lock(mu_);
  waits_ = std::move(waits);
}

std::vector<std::string> RunActor::Retry(const std::string& job_id) {
  std::vector<std::string> ids;
  RetryCall call;
  {
    MutexLock lock(mu_);
    for (const auto& [id, job] : waits_) {
      if (!job_id.empty() && id != job_id) continue;
      ids.push_back(id);
      call.jobs.push_back(job);
    }
  }
  if (!call.jobs.empty()) Post(std::move(call));
  return ids;
}

void RunActor::Take(const RetryCall& call) {
  for (JobIndex job : call.jobs) {
    if (state_.status(job) == JobStatus::kInDoubt) {
      Resolve(job, "");
    } else {
      retrying_.erase(job);
      facts_.push_back(RetryDue{job});
    }
  }
}

}  // namespace kinora

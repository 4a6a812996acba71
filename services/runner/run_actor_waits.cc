// The part of RunActor for what does not go on by itself: it holds starts back,
// says for what the run waits, and cuts waits short.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "services/runner/run_actor.h"

namespace kinora {

// Whether a job whose turn it is may be called now. One that says no for what
// only somebody can change says so in `held_by_pause_` or `held_by_budget_`.
bool RunActor::MayStart(JobIndex job) {
  if (holding_) {
    awaits_place_ = true;
    return false;
  }
  if (pauses_.Holds(state_.node(job).producer().name())) {
    held_by_pause_ = true;
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
// something does. There may be several such things; the one that is told is the
// first that somebody has to decide, as of the others the run's state tells by
// itself: its questions, jobs in doubt and paused producers.
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
  const bool lacks_planner = expansion_attempts_ > kPatientExpansions;
  if (expanding_ && !lacks_planner) return "";
  const bool is_ready = state_.count(JobStatus::kReady) > 0;
  if (is_ready && awaits_place_) return lacks_planner ? "planner" : "";
  if (is_ready && held_by_budget_) return std::string(kBudget);
  if (in_doubt > 0) return "in_doubt";
  // Places may be held by attempts that wait for somebody.
  if (asking + state_.count(JobStatus::kAsking) > 0) return "question";
  if (lacks_planner) return "planner";
  return is_ready && held_by_pause_ ? std::string(kPaused) : "";
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

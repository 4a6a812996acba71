// The part of RunRules that compares.

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/status.h"
#include "tests/model/run_rules.h"

namespace kinora {
namespace {

// What RunState tells by a JobChange. That a job waited for an answer before
// this process began is not news.
bool IsTold(JobStatus before, JobStatus now) {
  if (now == JobStatus::kAsking) return before == JobStatus::kRunning;
  return now != before && (IsFinal(now) || now == JobStatus::kRetrying);
}

std::string Name(JobStatus status) {
  constexpr const char* kNames[] = {
      "pending", "looking up", "ready",  "running", "retrying", "in doubt",
      "asking",  "succeeded",  "reused", "failed",  "blocked",  "cancelled"};
  return kNames[static_cast<size_t>(status)];
}

}  // namespace

absl::Status RunRules::Broken(JobIndex job, const std::string& what) const {
  return absl::InternalError(absl::StrCat(
      jobs_[static_cast<size_t>(job)].planned->planned.job_id(), ": ", what));
}

absl::Status RunRules::CheckStart(JobIndex index,
                                  const std::set<JobIndex>& refused) const {
  const Job& job = jobs_[static_cast<size_t>(index)];
  if (cancelled_) return Broken(index, "is started after the cancellation");
  if (job.status != JobStatus::kReady) {
    return Broken(index, "is started when it is " + Name(job.status));
  }
  if (refused.contains(index)) return Broken(index, "was refused by the gate");
  if (!HasPlace(job)) return Broken(index, "is started without a free place");
  if (job.failures >= MaxAttempts(job)) {
    return Broken(index, "is started though it has failed too often");
  }
  const auto turn = [this](const Job& of) {
    return std::make_tuple(of.is_known, NodeOf(of).limits().priority(),
                           of.way_down);
  };
  for (size_t i = 0; i < jobs_.size(); ++i) {
    const Job& other = jobs_[i];
    if (other.status == JobStatus::kReady && HasPlace(other) &&
        turn(other) > turn(job) && !IsHeldBack(other, refused)) {
      return Broken(index, absl::StrCat("is started before ",
                                        other.planned->planned.job_id()));
    }
  }
  return absl::OkStatus();
}

absl::Status RunRules::CheckChanges(
    const std::vector<JobStatus>& before,
    const std::vector<JobChange>& changes) const {
  std::set<JobIndex> told;
  for (const JobChange& change : changes) {
    if (!told.insert(change.job).second) {
      return Broken(change.job, "changes twice at once");
    }
    KINORA_RETURN_IF_ERROR(CheckChange(change));
  }
  for (size_t i = 0; i < jobs_.size(); ++i) {
    const JobIndex index = static_cast<JobIndex>(i);
    const JobStatus now = jobs_[i].status;
    const bool due = IsTold(before[i], now);
    if (due == told.contains(index)) continue;
    return Broken(index, absl::StrCat("is ", Name(now), " now, which is ",
                                      due ? "not told" : "told twice"));
  }
  return absl::OkStatus();
}

absl::Status RunRules::CheckChange(const JobChange& change) const {
  const Job& job = jobs_[static_cast<size_t>(change.job)];
  if (change.status != job.status) {
    return Broken(change.job, absl::StrCat("becomes ", Name(change.status),
                                           ", should be ", Name(job.status)));
  }
  if (change.status == JobStatus::kFailed &&
      change.failure.message() != told_.message()) {
    return Broken(change.job, "fails for another reason than was told");
  }
  if (change.status == JobStatus::kRetrying) {
    const RetryPolicy& policy = plan_.options().retry;
    absl::Duration longest = policy.initial;
    for (uint32_t n = 1; n < job.failures; ++n) longest *= 2;
    longest = std::min(longest, policy.longest);
    if (change.delay < absl::ZeroDuration() || change.delay > longest) {
      return Broken(change.job,
                    absl::StrCat("waits ", absl::FormatDuration(change.delay)));
    }
  }
  if (change.status != JobStatus::kBlocked) return absl::OkStatus();
  for (size_t i = 0; i < jobs_.size(); ++i) {
    const JobIndex root = static_cast<JobIndex>(i);
    if (jobs_[i].status == JobStatus::kFailed && job.ancestors.contains(root) &&
        change.failure.cause().job_id() == jobs_[i].planned->planned.job_id()) {
      return absl::OkStatus();
    }
  }
  return Broken(change.job, "is blocked by " + change.failure.cause().job_id());
}

std::vector<std::string> RunRules::Landed() const {
  std::vector<std::string> landed;
  for (const std::string& id : deciders_) {
    if (!cancelled_ && values_.contains(id)) landed.push_back(id);
  }
  return landed;
}

absl::Status RunRules::CheckState() const {
  if (state_.job_count() != jobs_.size()) {
    return absl::InternalError(absl::StrCat("there are ", state_.job_count(),
                                            " jobs, not ", jobs_.size()));
  }
  bool all_final = true, failed = false;
  for (size_t i = 0; i < jobs_.size(); ++i) {
    const JobIndex index = static_cast<JobIndex>(i);
    const Job& job = jobs_[i];
    all_final = all_final && IsFinal(job.status);
    failed = failed || job.status == JobStatus::kFailed;
    if (state_.job(index).job_id() != job.planned->planned.job_id()) {
      return Broken(index, "is in another place");
    }
    if (state_.status(index) != job.status) {
      return Broken(index, absl::StrCat("is ", Name(state_.status(index)),
                                        ", should be ", Name(job.status)));
    }
    if (state_.attempts(index) != job.attempts) {
      return Broken(index,
                    absl::StrCat("has ", state_.attempts(index),
                                 " attempts, should have ", job.attempts));
    }
    if (state_.key(index) != job.key) {
      return Broken(index, "has another key than what it reads");
    }
  }
  const std::vector<std::string> landed = Landed();
  if (state_.landed_deciders() != landed) {
    return absl::InternalError(absl::StrCat(
        "landed are ", absl::StrJoin(state_.landed_deciders(), ","),
        ", should be ", absl::StrJoin(landed, ",")));
  }
  if (state_.finished() != (all_final && landed.empty())) {
    return absl::InternalError(state_.finished() ? "finished too early"
                                                 : "should be finished");
  }
  if (state_.failed() != failed) {
    return absl::InternalError("does not know whether a job failed");
  }
  if (failed && state_.first_failure().job != first_failed_) {
    return Broken(state_.first_failure().job, "was not the first to fail");
  }
  return absl::OkStatus();
}

absl::Status RunRules::Ended() const {
  if (!state_.finished()) {
    return absl::InternalError("nothing goes on, and the run is not finished");
  }
  size_t ends = 0;
  for (size_t i = 0; i < jobs_.size(); ++i) {
    if (!cancelled_ && jobs_[i].status == JobStatus::kCancelled) {
      return Broken(static_cast<JobIndex>(i), "was cancelled by nobody");
    }
  }
  for (JobStatus status :
       {JobStatus::kSucceeded, JobStatus::kReused, JobStatus::kFailed,
        JobStatus::kBlocked, JobStatus::kCancelled}) {
    ends += state_.count(status);
  }
  if (ends != jobs_.size()) {
    return absl::InternalError(
        absl::StrCat(ends, " ends are counted of ", jobs_.size(), " jobs"));
  }
  for (const v1::DeferredGroup& group : state_.deferred()) {
    const JobIndex maker = state_.MakerOf(group.sized_by_artefact_id());
    if (maker < 0 || cancelled_) continue;
    const JobChange* failure = state_.FailureBehind(group);
    if (failure == nullptr) {
      return Broken(maker, "keeps jobs deferred for no reason");
    }
    if (failure->job != maker &&
        !jobs_[static_cast<size_t>(maker)].ancestors.contains(failure->job)) {
      return Broken(failure->job, "is not behind " + group.node());
    }
  }
  return absl::OkStatus();
}

}  // namespace kinora

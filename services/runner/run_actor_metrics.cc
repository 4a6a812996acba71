// The part of RunActor that counts what it does, if somebody can ask for it.

#include <algorithm>

#include "services/runner/run_actor.h"

namespace kinora {
namespace {

std::optional<JobMark> MarkOf(JobStatus status) {
  switch (status) {
    case JobStatus::kRetrying:
      return JobMark::kRetrying;
    case JobStatus::kInDoubt:
      return JobMark::kInDoubt;
    case JobStatus::kSucceeded:
      return JobMark::kSucceeded;
    case JobStatus::kReused:
      return JobMark::kReused;
    case JobStatus::kFailed:
      return JobMark::kFailed;
    case JobStatus::kBlocked:
      return JobMark::kBlocked;
    case JobStatus::kCancelled:
      return JobMark::kCancelled;
    default:
      return std::nullopt;
  }
}

}  // namespace

void RunActor::CountChange(const JobChange& change) {
  if (deps_.metrics == nullptr) return;
  if (IsFinal(change.status)) ready_nanos_.erase(change.job);
  if (const auto mark = MarkOf(change.status); mark.has_value()) {
    deps_.metrics->JobMarked(state_.node(change.job).producer().name(), *mark);
  }
}

void RunActor::CountReused(const v1::ReusedJob& reused) {
  if (deps_.metrics == nullptr) return;
  const absl::string_view id = reused.job_id();
  const absl::string_view node = id.substr(0, id.find('['));
  for (const v1::PlannedNode& planned : plan_->nodes()) {
    if (planned.node() != node) continue;
    deps_.metrics->JobMarked(planned.producer().name(), JobMark::kReused);
    return;
  }
}

void RunActor::CountEnd(const AttemptEnded& ended, absl::Duration duration) {
  if (deps_.metrics == nullptr) return;
  const std::string& producer = state_.node(ended.job).producer().name();
  deps_.metrics->AttemptEnded(producer, duration);
  if (ended.result.cost.has_value()) {
    deps_.metrics->Charged(producer, *ended.result.cost);
  }
  // The earliest end of the batch: it is not told which one a job waited for,
  // and the time is not to look shorter than it was.
  batch_nanos_ = batch_nanos_ == 0 ? ended.at_nanos
                                   : std::min(batch_nanos_, ended.at_nanos);
}

void RunActor::NoteReady(const std::vector<JobIndex>& jobs) {
  if (deps_.metrics == nullptr) return;
  const int64_t since =
      batch_nanos_ != 0 ? batch_nanos_ : deps_.clock.MonotonicNanos();
  for (const JobIndex job : jobs) ready_nanos_[job] = since;
}

void RunActor::CountStart(JobIndex job) {
  if (deps_.metrics == nullptr) return;
  deps_.metrics->JobMarked(state_.node(job).producer().name(),
                           JobMark::kStarted);
  const auto ready = ready_nanos_.find(job);
  if (ready == ready_nanos_.end()) return;  // it is called again
  deps_.metrics->Dispatched(
      absl::Nanoseconds(deps_.clock.MonotonicNanos() - ready->second));
  ready_nanos_.erase(ready);
}

}  // namespace kinora

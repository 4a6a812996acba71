#include "services/runner/actor/run_meter.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

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

void RunMeter::Changed(const RunState& state, const JobChange& change) {
  if (metrics_ == nullptr) return;
  if (IsFinal(change.status)) ready_nanos_.erase(change.job);
  if (const auto mark = MarkOf(change.status); mark.has_value()) {
    metrics_->JobMarked(state.node(change.job).producer().name(), *mark);
  }
}

void RunMeter::Reused(const v1::ReusedJob& reused) {
  if (metrics_ == nullptr) return;
  const absl::string_view id = reused.job_id();
  const absl::string_view node = id.substr(0, id.find('['));
  for (const v1::PlannedNode& planned : plan_->nodes()) {
    if (planned.node() != node) continue;
    metrics_->JobMarked(planned.producer().name(), JobMark::kReused);
    return;
  }
}

void RunMeter::Ended(const RunState& state, const AttemptEnded& ended,
                     absl::Duration duration) {
  if (metrics_ == nullptr) return;
  const std::string& producer = state.node(ended.job).producer().name();
  metrics_->AttemptEnded(producer, duration);
  if (ended.result.cost.has_value()) {
    metrics_->Charged(producer, *ended.result.cost);
  }
  // The earliest end of the batch: it is not told which one a job waited for,
  // and the time is not to look shorter than it was.
  batch_nanos_ = batch_nanos_ == 0 ? ended.at_nanos
                                   : std::min(batch_nanos_, ended.at_nanos);
}

void RunMeter::Ready(const std::vector<JobIndex>& jobs) {
  if (metrics_ == nullptr) return;
  const int64_t since =
      batch_nanos_ != 0 ? batch_nanos_ : clock_.MonotonicNanos();
  for (const JobIndex job : jobs) ready_nanos_[job] = since;
}

void RunMeter::Started(const RunState& state, JobIndex job) {
  if (metrics_ == nullptr) return;
  metrics_->JobMarked(state.node(job).producer().name(), JobMark::kStarted);
  const auto ready = ready_nanos_.find(job);
  if (ready == ready_nanos_.end()) return;  // it is called again
  metrics_->Dispatched(
      absl::Nanoseconds(clock_.MonotonicNanos() - ready->second));
  ready_nanos_.erase(ready);
}

void RunMeter::Closed(v1::RunStatus status) {
  if (metrics_ != nullptr) metrics_->RunClosed(status);
}

}  // namespace kinora

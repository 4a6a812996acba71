// The part of RunActor that writes down how far attempts come, and what they
// leave for the next one.

#include <optional>
#include <string>
#include <utility>

#include "services/runner/attempt_redaction.h"
#include "services/runner/run_actor.h"

namespace kinora {

void RunActor::Take(ProgressMade& made) {
  auto running = running_.find(made.job);
  if (running == running_.end() || running->second.attempt != made.attempt) {
    return;
  }
  const std::string& details = made.progress.heartbeat_details();
  if (!details.empty()) heartbeats_[made.job] = details;
  Running& attempt = running->second;
  const absl::Duration since =
      absl::Nanoseconds(deps_.clock.MonotonicNanos() - attempt.progress_nanos);
  if (attempt.progress_nanos == 0 || since >= kProgressPeriod) {
    return TellProgress(made.job, made.progress, &attempt);
  }
  // Of what comes too often, the numbers are made up for by later ones. What
  // the next attempt needs may be followed by nothing.
  if (details.empty()) return;
  attempt.late_progress = std::move(made.progress);
  if (attempt.progress_timed) return;
  attempt.progress_timed = true;
  std::weak_ptr<RunActor> weak = weak_from_this();
  deps_.executor.PostAfter(kProgressPeriod - since,
                           [weak, due = ProgressDue{made.job, made.attempt}] {
                             if (auto self = weak.lock()) self->Post(due);
                           });
}

void RunActor::Take(const ProgressDue& due) {
  auto running = running_.find(due.job);
  if (running == running_.end() || running->second.attempt != due.attempt) {
    return;
  }
  running->second.progress_timed = false;
  if (!running->second.late_progress.has_value()) return;
  // Something else may have been written meanwhile: it waits once more.
  ProgressMade late{due.job, due.attempt, *running->second.late_progress};
  running->second.late_progress.reset();
  Take(late);
}

void RunActor::TellProgress(JobIndex job, const v1::Progress& made,
                            Running* attempt) {
  attempt->progress_nanos = deps_.clock.MonotonicNanos();
  v1::StepProgressEvent* event = AddLedger()->mutable_step_progress();
  *event->mutable_step() = StepOf(state_, job);
  event->mutable_step()->clear_artefact_namespace();
  event->set_status("running");
  v1::StepProgress* progress = event->mutable_progress();
  if (made.has_completed()) progress->set_completed(made.completed());
  if (made.has_total()) progress->set_total(made.total());
  if (!made.message().empty()) progress->set_message(made.message());

  // The last that was left, also where it came with progress that was late.
  std::string details = made.heartbeat_details();
  if (details.empty() && attempt->late_progress.has_value()) {
    details = attempt->late_progress->heartbeat_details();
  }
  attempt->late_progress.reset();
  // Opaque as they are, a secret cannot be taken out of them.
  if (details.size() > kMaxHeartbeatDetailsBytes ||
      AttemptRedaction(ConfigOf(job).secrets).Redacted(details) != details) {
    return;
  }
  event->set_heartbeat_details(std::move(details));
}

// For an attempt that ends badly.
void RunActor::TellLateProgress(JobIndex job, Running* attempt) {
  if (!attempt->late_progress.has_value()) return;
  const v1::Progress late = *attempt->late_progress;
  TellProgress(job, late, attempt);
}

std::string RunActor::HeartbeatDetailsFor(JobIndex job) const {
  if (const auto left = heartbeats_.find(job); left != heartbeats_.end()) {
    return left->second;
  }
  if (!past_.has_value()) return "";
  return past_->HeartbeatDetailsOf(state_.job(job).job_id());
}

}  // namespace kinora

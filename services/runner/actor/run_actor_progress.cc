// The part of RunActor that writes down how far attempts come, and what they
// leave for the next one.

#include <string>
#include <utility>

#include "services/runner/actor/run_actor.h"
#include "services/runner/calls/attempt_redaction.h"

namespace kinora {
namespace {

// Longer heartbeat details are not written, but handed on by this process only.
constexpr size_t kMaxHeartbeatDetailsBytes = 4096;

}  // namespace

bool RunActor::IsUnderWay(JobIndex job, uint32_t attempt) const {
  const auto running = running_.find(job);
  return running != running_.end() && running->second.attempt == attempt;
}

void RunActor::Take(ProgressMade& made) {
  if (!IsUnderWay(made.job, made.attempt)) return;
  TakeProgress(made.job, progress_.Take(made.job, std::move(made.progress),
                                        deps_.clock.MonotonicNanos()));
}

void RunActor::Take(const ProgressDue& due) {
  if (!IsUnderWay(due.job, due.attempt)) return;
  TakeProgress(due.job, progress_.Due(due.job, deps_.clock.MonotonicNanos()));
}

void RunActor::TakeProgress(JobIndex job, const ProgressIntake::Taken& taken) {
  if (taken.written.has_value()) TellProgress(job, *taken.written);
  if (!taken.wait.has_value()) return;
  deps_.executor.PostAfter(*taken.wait,
                           [weak = weak_from_this(),
                            due = ProgressDue{job, running_.at(job).attempt}] {
                             if (auto self = weak.lock()) self->Post(due);
                           });
}

void RunActor::TellProgress(JobIndex job, const v1::Progress& made) {
  v1::StepProgressEvent* event = AddLedger()->mutable_step_progress();
  *event->mutable_step() = StepOf(state_, job);
  event->mutable_step()->clear_artefact_namespace();
  event->set_status("running");
  v1::StepProgress* progress = event->mutable_progress();
  if (made.has_completed()) progress->set_completed(made.completed());
  if (made.has_total()) progress->set_total(made.total());
  if (!made.message().empty()) progress->set_message(made.message());
  // Opaque as they are, a secret cannot be taken out of them.
  const std::string& details = made.heartbeat_details();
  if (details.size() > kMaxHeartbeatDetailsBytes ||
      AttemptRedaction(ConfigOf(job).secrets).Redacted(details) != details) {
    return;
  }
  event->set_heartbeat_details(details);
}

std::string RunActor::HeartbeatDetailsFor(JobIndex job) const {
  std::string left = progress_.LeftBy(job);
  if (!left.empty() || !past_.has_value()) return left;
  return past_->HeartbeatDetailsOf(state_.job(job).job_id());
}

}  // namespace kinora

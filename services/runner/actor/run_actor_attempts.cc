// The part of RunActor that calls producers: what an attempt is given, what it
// reports, and what its end means for the job.

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/runner/actor/run_actor.h"
#include "services/runner/calls/attempt_redaction.h"

namespace kinora {

// Puts what one attempt reports into the inbox.
class RunActor::Observer final : public AttemptObserver {
 public:
  Observer(std::shared_ptr<RunActor> actor, JobIndex job, uint32_t attempt,
           CallPlaces::Place place, std::vector<std::string> secrets)
      : actor_(std::move(actor)),
        job_(job),
        attempt_(attempt),
        place_(std::move(place)),
        redaction_(std::move(secrets)) {}

  void OnProgress(const v1::Progress& progress) override {
    actor_->Post(ProgressMade{job_, attempt_, redaction_.Redacted(progress)});
  }
  void OnLogLines(const v1::LogLines& lines) override {
    actor_->Post(LinesLogged{job_, attempt_, redaction_.Redacted(lines)});
  }
  void OnQuestion(const v1::Question& question, bool takes_answer) override {
    actor_->Post(QuestionAsked{job_, attempt_, redaction_.Redacted(question),
                               takes_answer});
  }
  void OnDone(AttemptResult result) override {
    redaction_.Redact(&result);
    const absl::Duration hold_back = result.failure.has_value()
                                         ? RetryAfter(*result.failure)
                                         : absl::ZeroDuration();
    const bool counts = place_.End(result.contact, result.version, hold_back);
    actor_->Post(AttemptEnded{job_, attempt_, std::move(result), counts,
                              actor_->deps_.clock.MonotonicNanos()});
  }

 private:
  const std::shared_ptr<RunActor> actor_;
  const JobIndex job_;
  const uint32_t attempt_;
  CallPlaces::Place place_;
  const AttemptRedaction redaction_;
};

void RunActor::StartAttempt(JobIndex job) {
  const ProducerConfig& config = ConfigOf(job);
  absl::Duration timeout = config.attempt_timeout;
  const uint32_t own = state_.node(job).limits().attempt_timeout_seconds();
  if (own != 0) timeout = absl::Seconds(own);
  timeout = std::min(timeout, times_.Run(job));
  AttemptRequest request =
      MakeAttempt(identity_, state_, job, deps_.clock.Now(), timeout);
  request.header.set_heartbeat_details(HeartbeatDetailsFor(job));
  auto place = places_.extract(job);
  request.target = place.mapped().target();
  works_at_.erase(job);
  RunningAttempt& running = running_[job];
  running.attempt = state_.attempts(job);
  running.started_nanos = deps_.clock.MonotonicNanos();
  progress_.Begin(job);
  GiveAnswers(job, &request.header, &running);
  meter_.Started(state_, job);
  running.call = deps_.producers.Start(
      std::move(request),
      std::make_shared<Observer>(shared_from_this(), job, running.attempt,
                                 std::move(place.mapped()), config.secrets));
  attempt_calls_.Add(running.call);
}

void RunActor::CancelAttempts() {
  for (auto& running : running_) running.second.call->Cancel();
}

void RunActor::Take(AttemptEnded& ended) {
  auto running = running_.find(ended.job);
  if (running == running_.end() || running->second.attempt != ended.attempt) {
    return;
  }
  const absl::Duration duration =
      absl::Nanoseconds(ended.at_nanos - running->second.started_nanos);
  if (ended.result.failure.has_value()) {
    const std::optional<v1::Progress> late = progress_.Late(ended.job);
    if (late.has_value()) TellProgress(ended.job, *late);
  }
  progress_.End(ended.job);
  const RunningAttempt attempt = std::move(running->second);
  running_.erase(running);
  meter_.Ended(state_, ended, duration);
  const absl::Duration time_used = times_.Stop(ended.job, ended.at_nanos);
  AttemptResult& result = ended.result;
  std::optional<std::string> awaited;
  if (attempt.refused.has_value() &&
      (result.failure.has_value() || result.waits_for.has_value())) {
    result.failure = attempt.refused;
    result.waits_for.reset();
  } else if (attempt.unanswered.has_value() && result.failure.has_value()) {
    result.failure = attempt.unanswered;
  } else {
    awaited = AwaitedBy(ended.job, attempt, &result);
  }
  SettleAttempt(ended.job, result, /*asks=*/awaited.has_value());
  if (awaited.has_value()) {
    return TakeAsking(ended.job, attempt, *awaited, result.in_doubt);
  }
  std::vector<v1::Event> events;
  if (!result.failure.has_value()) {
    if (ended.outputs != AttemptEnded::Outputs::kDurable) {
      events = SucceededEvents(identity_, state_, ended.job, result, duration);
    }
    AttemptSucceeded fact{ended.job, {}, duration};
    for (AttemptResult::Output& output : result.outputs) {
      fact.outputs.push_back(std::move(output.content));
    }
    facts_.push_back(std::move(fact));
  } else {
    // An attempt that was cut short says nothing about the work.
    if (result.failure->reason() != v1::FAILURE_REASON_CANCELLED) {
      events = FailedEvents(identity_, state_, ended.job, result, duration);
    }
    // One that is cut short by a stop stays open: it is not the run's end.
    if (!stopping_) {
      facts_.push_back(AttemptFailed{ended.job, *std::move(result.failure),
                                     result.in_doubt, ended.counts, time_used});
    }
  }
  std::move(events.begin(), events.end(), std::back_inserter(artefact_events_));
}

void RunActor::Take(LinesLogged& logged) {
  std::optional<v1::LogAppendedEvent> event =
      logs_.Take(state_.job(logged.job).job_id(), logged.attempt, logged.lines);
  if (event.has_value()) {
    // Another call may number lines of the same log at the same time.
    if (step_ != nullptr) event->clear_first_seq();
    *AddLedger()->mutable_log_appended() = *std::move(event);
  }
}

}  // namespace kinora

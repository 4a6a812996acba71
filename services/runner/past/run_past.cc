#include "services/runner/past/run_past.h"

#include <algorithm>
#include <utility>

#include "common/reported_event.h"
#include "common/run_end.h"
#include "services/runner/questions/question_verdict.h"

namespace kinora {
namespace {

JobStatus StatusOfSkip(absl::string_view reason) {
  return reason == "reused" ? JobStatus::kReused : JobStatus::kBlocked;
}

absl::Time TimeOf(const v1::LedgerEvent& event) {
  return absl::FromUnixMillis(event.occurred_at_ms());
}

bool SaysInDoubt(const JsonValue& detail) {
  const JsonValue* doubt = detail.Find("inDoubt");
  return doubt != nullptr && doubt->is_bool() && doubt->bool_value();
}

}  // namespace

void RunPast::Apply(const v1::LedgerEvent& event) {
  if (IsReported(event)) {
    // They are in the log, and that is all that is believed.
    if (event.has_log_appended()) logs_.RecallReported(event.log_appended());
    return;
  }
  questions_.Apply(event);
  budget_.Recall(event);
  switch (event.kind_case()) {
    case v1::LedgerEvent::kRunStarted:
      has_started_ = true;
      return;
    case v1::LedgerEvent::kRunWaiting:
      if (event.run_waiting().reason() == kCancelling) {
        cancel_reason_ = event.run_waiting().message();
      }
      pauses_.Apply(event);
      return;
    case v1::LedgerEvent::kRunResumed:
      pauses_.Apply(event);
      return;
    case v1::LedgerEvent::kStepStarted: {
      Job& job = jobs_[event.step_started().step().step_id()];
      job.past.attempts = event.step_started().attempt();
      job.told = JobStatus::kRunning;
      job.past.in_doubt = true;  // until its end is told
      job.past.asking.clear();
      job.started = ++starts_;
      job.awaits_attempt = false;
      job.is_doubted = false;
      job.to_retry = false;
      // One that was interrupted while it asked will ask again.
      if (!questions_.Waits(event.step_started().step().step_id())) {
        job.time.Run(TimeOf(event));
      }
      return;
    }
    case v1::LedgerEvent::kStepProgress: {
      const v1::StepProgressEvent& progress = event.step_progress();
      if (progress.heartbeat_details().empty()) return;
      jobs_[progress.step().step_id()].heartbeat_details =
          progress.heartbeat_details();
      return;
    }
    case v1::LedgerEvent::kStepCompleted:
      return End(event.step_completed().step(), JobStatus::kSucceeded,
                 TimeOf(event));
    case v1::LedgerEvent::kStepFailed: {
      End(event.step_failed().step(), JobStatus::kFailed, TimeOf(event));
      Job& job = jobs_[event.step_failed().step().step_id()];
      ++job.past.failures;
      job.past.failure.emplace();
      job.past.failure->set_message(event.step_failed().error());
      return;
    }
    case v1::LedgerEvent::kStepSkipped:
      return End(event.step_skipped().step(),
                 StatusOfSkip(event.step_skipped().reason()), TimeOf(event));
    case v1::LedgerEvent::kLogAppended:
      logs_.Recall(event.log_appended());
      return;
    case v1::LedgerEvent::kJob:
      return TakeJob(event);
    default:
      return;
  }
}

void RunPast::TakeJob(const v1::LedgerEvent& ledger) {
  const v1::JobEvent& event = ledger.job();
  const JsonValue detail = ParseJson(event.detail_json()).value_or(JsonValue());
  if (event.type() == "retrying") {
    Retried(ledger, detail);
  } else if (event.type() == "in_doubt") {
    Job& job = jobs_[event.job_id()];
    job.awaits_attempt = true;
    job.is_doubted = true;
  } else if (event.type() == "retry") {
    // Who cuts a wait short has not agreed to pay for what is in doubt later.
    for (const std::string& id : AwaitingAttempt(event.job_id())) {
      Job& job = jobs_[id];
      job.to_retry = job.to_retry || job.is_doubted;
    }
  } else if (event.type() == "asking") {
    Job& job = jobs_[event.job_id()];
    job.told.reset();
    job.awaits_attempt = false;
    job.past.in_doubt = SaysInDoubt(detail);
    job.time.Stop(TimeOf(ledger));
    const JsonValue* question = detail.Find("questionId");
    if (question == nullptr || !question->is_string()) return;
    const JsonValue* hash = detail.Find("contentHash");
    job.past.asking = QuestionKey(
        question->string_value(),
        hash != nullptr && hash->is_string() ? hash->string_value() : "");
  } else if (event.type() == "question") {
    jobs_[event.job_id()].time.Stop(TimeOf(ledger));
  } else if (event.type() == "answered") {
    Job& job = jobs_[event.job_id()];
    if (job.told == JobStatus::kRunning && !questions_.Waits(event.job_id())) {
      job.time.Run(TimeOf(ledger));
    }
  } else if (event.type() == "expanded") {
    const JsonValue* artefacts = detail.Find("artefacts");
    if (artefacts == nullptr || !artefacts->is_array()) return;
    for (const JsonValue& id : artefacts->array()) {
      if (id.is_string()) expanded_by_.insert(id.string_value());
    }
  }
}

void RunPast::Retried(const v1::LedgerEvent& event, const JsonValue& detail) {
  auto is = [&detail](absl::string_view name, bool value) {
    const JsonValue* member = detail.Find(name);
    return member != nullptr && member->is_bool() &&
           member->bool_value() == value;
  };
  Job& tried = jobs_[event.job().job_id()];
  if (!is("counts", false)) ++tried.past.failures;
  tried.told.reset();
  tried.awaits_attempt = true;
  tried.past.in_doubt = is("inDoubt", true);
  const JsonValue* delay = detail.Find("delayMs");
  tried.time.Wait(TimeOf(event),
                  absl::Milliseconds(delay == nullptr
                                         ? 0
                                         : delay->integer_value().value_or(0)));
  const JsonValue* producer = detail.Find("producer");
  const JsonValue* held = detail.Find("retryAfterMs");
  if (producer == nullptr || !producer->is_string() || held == nullptr) return;
  int64_t& until = held_back_[producer->string_value()];
  until = std::max(until,
                   event.occurred_at_ms() + held->integer_value().value_or(0));
}

void RunPast::End(const v1::StepIdentity& step, JobStatus status,
                  absl::Time at) {
  Job& job = jobs_[step.step_id()];
  job.time.Stop(at);
  job.told = status;
  job.ended = ++ends_;
  job.awaits_attempt = false;
  job.past.in_doubt = false;
  job.heartbeat_details.clear();
}

bool RunPast::Told(absl::string_view job_id, JobStatus status) const {
  const auto job = jobs_.find(job_id);
  return job != jobs_.end() && job->second.told == status;
}

void RunPast::CallAgain(absl::string_view job_id) {
  const auto job = jobs_.find(job_id);
  if (job != jobs_.end()) job->second.told.reset();
}

std::optional<RunState::ToldEnd> RunPast::ToldResult(
    absl::string_view job_id) const {
  const auto job = jobs_.find(job_id);
  if (job == jobs_.end()) return std::nullopt;
  const std::optional<JobStatus>& told = job->second.told;
  if (told != JobStatus::kSucceeded && told != JobStatus::kReused) {
    return std::nullopt;
  }
  return RunState::ToldEnd{*told, job->second.ended};
}

PastJob RunPast::Of(absl::string_view job_id) const {
  const auto job = jobs_.find(job_id);
  if (job == jobs_.end()) return PastJob();
  PastJob past = job->second.past;
  if (past.asking.empty()) return past;
  const RunQuestion* asked = questions_.Find(job_id, past.asking);
  // The answer may have come before the attempt had ended; and a job that has
  // ended since, in a step, asks anew.
  if (asked == nullptr || asked->answer.has_value() || asked->is_void) {
    past.asking.clear();
  } else if (asked->unanswered.has_value()) {
    past.failure = FailureOf(*asked);
  }
  return past;
}

absl::Duration RunPast::TimeUsed(absl::string_view job_id,
                                 absl::Time now) const {
  const auto job = jobs_.find(job_id);
  return job == jobs_.end() ? absl::ZeroDuration() : job->second.time.Used(now);
}

std::string RunPast::HeartbeatDetailsOf(absl::string_view job_id) const {
  const auto job = jobs_.find(job_id);
  return job == jobs_.end() ? "" : job->second.heartbeat_details;
}

void RunPast::ForgetFailures() {
  for (auto& [id, job] : jobs_) {
    job.past.failures = 0;
    job.time = JobTime();
    job.past.failure.reset();
    if (job.told == JobStatus::kFailed) job.told.reset();
  }
}

std::vector<std::string> RunPast::Interrupted() const {
  std::vector<std::pair<size_t, std::string>> starts;
  for (const auto& [id, job] : jobs_) {
    if (job.told == JobStatus::kRunning) starts.emplace_back(job.started, id);
  }
  std::sort(starts.begin(), starts.end());
  std::vector<std::string> ids;
  for (auto& start : starts) ids.push_back(std::move(start.second));
  return ids;
}

std::vector<std::string> RunPast::AwaitingAttempt(
    absl::string_view job_id) const {
  if (!job_id.empty()) {
    if (!AwaitsAttempt(job_id)) return {};
    return {std::string(job_id)};
  }
  std::vector<std::string> ids;
  for (const auto& [id, job] : jobs_) {
    if (job.awaits_attempt) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

bool RunPast::AwaitsAttempt(absl::string_view job_id) const {
  const auto job = jobs_.find(job_id);
  return job != jobs_.end() && job->second.awaits_attempt;
}

bool RunPast::IsToRetry(absl::string_view job_id) const {
  const auto job = jobs_.find(job_id);
  return job != jobs_.end() && job->second.to_retry;
}

bool RunPast::ToldExpansion(const std::vector<std::string>& landed) const {
  return std::all_of(
      landed.begin(), landed.end(),
      [this](const std::string& id) { return expanded_by_.contains(id); });
}

}  // namespace kinora

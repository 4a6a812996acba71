#include "services/runner/past/run_reduction.h"

#include <algorithm>
#include <utility>

#include "absl/strings/string_view.h"

#include "common/json/json.h"
#include "common/reported_event.h"
#include "common/run_end.h"
#include "services/runner/past/run_wait.h"

namespace kinora {
namespace {

constexpr size_t kLogTail = 100;

v1::RunStatus StatusOfWord(absl::string_view word) {
  if (word == "queued") return v1::RUN_STATUS_QUEUED;
  if (word == "running") return v1::RUN_STATUS_RUNNING;
  if (word == "waiting") return v1::RUN_STATUS_WAITING;
  return v1::RUN_STATUS_UNSPECIFIED;
}

google::protobuf::Timestamp FromMillis(int64_t ms) {
  google::protobuf::Timestamp time;
  time.set_seconds(ms / 1000);
  time.set_nanos(static_cast<int32_t>(ms % 1000) * 1'000'000);
  return time;
}

// The ledger tells of no end of an attempt that was cut short with its run.
v1::JobState StateAtEnd(v1::JobState job) {
  if (job.status() != "running" && job.status() != "asking") return job;
  job.set_status("cancelled");
  job.clear_detail();
  return job;
}

}  // namespace

RunReduction::RunReduction(v1::RunRecord record)
    : record_(std::move(record)), recorded_end_(IsTerminal(record_.status())) {
  // The ledger decides; a record that lags must not hide its end.
  if (!recorded_end_) record_.set_status(v1::RUN_STATUS_QUEUED);
  record_.clear_wait();
  if (record_.has_budget()) budget_.RestoreCap(record_.budget());
}

void RunReduction::Apply(const v1::Event& event) {
  last_sequence_ = std::max(last_sequence_, event.sequence());
  if (event.ledger().run_id() != record_.run_id()) return;
  if (IsReported(event.ledger())) return ApplyReported(event.ledger());
  budget_.Recall(event.ledger());
  ApplyLedger(event.ledger());
}

// Workers of a run whose caller carries it out tell what becomes of it; not
// what it has published. Of other runs they tell lines of the log only.
void RunReduction::ApplyReported(const v1::LedgerEvent& event) {
  if (event.has_log_appended()) return TakeLines(event.log_appended());
  if (!record_.stepwise()) return;
  if (event.has_run_created() || event.has_run_started()) {
    return ApplyLedger(event);
  }
  if (!IsTerminal(event)) return;
  budget_.Recall(event);
  if (event.has_run_completed()) {
    return End(v1::RUN_STATUS_COMPLETED, "", event.occurred_at_ms());
  }
  ApplyLedger(event);
}

void RunReduction::ApplyLedger(const v1::LedgerEvent& event) {
  questions_.Apply(event);
  const bool ended = IsTerminal(record_.status());
  switch (event.kind_case()) {
    case v1::LedgerEvent::kRunCreated: {
      const v1::RunStatus status = StatusOfWord(event.run_created().status());
      if (!ended && status != v1::RUN_STATUS_UNSPECIFIED) {
        record_.set_status(status);
      }
      return;
    }
    case v1::LedgerEvent::kRunStarted:
      if (!ended) {
        record_.set_status(v1::RUN_STATUS_RUNNING);
        record_.clear_wait();
      }
      return;
    case v1::LedgerEvent::kRunResumed:
      pauses_.Apply(event);
      // Of one producer: the run may wait for something else.
      if (!ended && event.run_resumed().producer().empty()) {
        record_.set_status(v1::RUN_STATUS_RUNNING);
        record_.clear_wait();
      }
      return;
    case v1::LedgerEvent::kRunWaiting: {
      pauses_.Apply(event);
      const v1::RunWaitingEvent& waiting = event.run_waiting();
      // What is being called off is not waiting for anybody, and with one
      // producer paused the others go on.
      if (!ended && waiting.reason() != kCancelling &&
          waiting.producer().empty()) {
        record_.set_status(v1::RUN_STATUS_WAITING);
        *record_.mutable_wait() = RecordedWait(waiting);
      }
      return;
    }
    case v1::LedgerEvent::kRunCompleted:
      TakeResult(event.run_completed().result_json());
      return End(v1::RUN_STATUS_COMPLETED, "", event.occurred_at_ms());
    case v1::LedgerEvent::kRunFailed:
      return End(v1::RUN_STATUS_FAILED, event.run_failed().error(),
                 event.occurred_at_ms());
    case v1::LedgerEvent::kRunCancelled:
      return End(v1::RUN_STATUS_CANCELLED, event.run_cancelled().error(),
                 event.occurred_at_ms());
    case v1::LedgerEvent::kStepStarted: {
      v1::JobState& job = Step(event.step_started().step());
      job.set_status("running");
      job.clear_detail();
      job.set_attempts(event.step_started().attempt());
      return;
    }
    case v1::LedgerEvent::kStepProgress:
      Step(event.step_progress().step())
          .mutable_progress()
          ->MergeFrom(event.step_progress().progress());
      return;
    case v1::LedgerEvent::kStepCompleted: {
      v1::JobState& job = Step(event.step_completed().step());
      job.set_status("completed");
      job.clear_detail();
      return;
    }
    case v1::LedgerEvent::kStepFailed: {
      v1::JobState& job = Step(event.step_failed().step());
      job.set_status("failed");
      job.set_detail(event.step_failed().error());
      return;
    }
    case v1::LedgerEvent::kStepSkipped: {
      v1::JobState& job = Step(event.step_skipped().step());
      job.set_status("skipped");
      job.set_detail(event.step_skipped().reason());
      job.set_blocked_by(event.step_skipped().blocked_by());
      return;
    }
    case v1::LedgerEvent::kJob:
      return TakeJob(event.job());
    case v1::LedgerEvent::kLogAppended:
      return TakeLines(event.log_appended());
    default:
      return;
  }
}

void RunReduction::TakeJob(const v1::JobEvent& event) {
  v1::StepIdentity step;
  step.set_step_id(event.job_id());
  // It may have been answered before it had left its place.
  if (event.type() == "asking" && !questions_.Waits(event.job_id())) return;
  if (event.type() == "in_doubt" || event.type() == "asking") {
    v1::JobState& job = Step(step);
    job.set_status(event.type());
    job.set_detail(event.message());
  } else if (event.type() == "answered") {
    v1::JobState& job = Step(step);
    if (job.status() != "asking") return;
    // It is about to be called again.
    job.set_status("running");
    job.clear_detail();
  } else if (event.type() == "retrying") {
    // Why it is called again, until it is.
    Step(step).set_detail(event.message());
  }
}

// Terminal is final; as in the ledger's own reduction only a completed run may
// still turn out to have failed.
void RunReduction::End(v1::RunStatus status, const std::string& error,
                       int64_t at_ms) {
  const bool demoted = record_.status() == v1::RUN_STATUS_COMPLETED &&
                       status == v1::RUN_STATUS_FAILED;
  if (IsTerminal(record_.status()) && !demoted) return;
  record_.set_status(status);
  record_.clear_wait();
  record_.set_error(error);
  if (!record_.has_finish_time()) {
    *record_.mutable_finish_time() = FromMillis(at_ms);
  }
}

// Who saw the run end asks what came of it, and the record may lag.
void RunReduction::TakeResult(const std::string& result_json) {
  absl::StatusOr<JsonValue> result = ParseJson(result_json);
  if (!result.ok() || IsTerminal(record_.status())) return;
  const JsonValue* hash = result->Find("manifestHash");
  if (hash != nullptr && hash->is_string()) {
    record_.set_manifest_hash(hash->string_value());
  }
  const JsonValue* published = result->Find("published");
  const JsonValue* revision = result->Find("revision");
  if (published != nullptr && published->is_bool() && published->bool_value() &&
      revision != nullptr && revision->is_string()) {
    record_.set_published_revision(revision->string_value());
  }
}

void RunReduction::TakeLines(const v1::LogAppendedEvent& event) {
  for (const std::string& line : event.lines()) {
    log_tail_.push_back(line);
    if (log_tail_.size() > kLogTail) log_tail_.pop_front();
  }
  const int64_t lines = event.lines_size();
  total_log_count_ =
      event.first_seq() > 0
          ? std::max(total_log_count_, event.first_seq() + lines - 1)
          : total_log_count_ + lines;
}

v1::JobState& RunReduction::Step(const v1::StepIdentity& step) {
  auto found = job_by_id_.emplace(step.step_id(), jobs_.size());
  if (found.second) {
    jobs_.emplace_back();
    jobs_.back().set_job_id(step.step_id());
  }
  return jobs_[found.first->second];
}

void RunReduction::CountJobs(v1::RunRecord* record) const {
  v1::JobCounts* counts = record->mutable_jobs();
  const int64_t total = counts->total();
  const int64_t clean = counts->clean();
  counts->Clear();
  counts->set_total(total);
  counts->set_clean(clean);
  for (const v1::JobState& job : jobs_) {
    if (job.status() == "completed") {
      counts->set_succeeded(counts->succeeded() + 1);
    } else if (job.status() == "failed") {
      counts->set_failed(counts->failed() + 1);
    } else if (job.status() == "running") {
      const bool is_over = IsTerminal(record_.status());
      counts->set_running(counts->running() + (is_over ? 0 : 1));
    } else if (job.detail() == "reused") {
      counts->set_reused(counts->reused() + 1);
    } else if (job.detail() == "blocked") {
      counts->set_blocked(counts->blocked() + 1);
    }
  }
}

v1::RunSnapshot RunReduction::Snapshot() const {
  v1::RunSnapshot snapshot;
  *snapshot.mutable_record() = record_;
  if (!recorded_end_) {
    CountJobs(snapshot.mutable_record());
    WriteMoney(budget_, snapshot.mutable_record());
    for (v1::Cost& cost : budget_.Reserved()) {
      *snapshot.add_reserved() = std::move(cost);
    }
  }
  snapshot.set_last_sequence(last_sequence_);
  const bool ended = IsTerminal(record_.status());
  for (const v1::JobState& job : jobs_) {
    *snapshot.add_jobs() = ended ? StateAtEnd(job) : job;
  }
  for (const std::string& line : log_tail_) snapshot.add_log_tail(line);
  snapshot.set_total_log_count(total_log_count_);
  if (ended) return snapshot;
  snapshot.set_wait_reason(record_.wait().reason());
  snapshot.set_paused(pauses_.whole());
  for (const std::string& producer : pauses_.producers()) {
    snapshot.add_paused_producers(producer);
  }
  for (const RunQuestion* asked : questions_.Pending()) {
    snapshot.add_pending_question_ids(asked->question.question_id());
  }
  return snapshot;
}

}  // namespace kinora

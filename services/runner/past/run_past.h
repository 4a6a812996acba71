// What a run has come to in processes before this one, as its ledger tells it:
// what a runner that adopts the run must not do, count or say again.

#ifndef KINORA_SERVICES_RUNNER_PAST_RUN_PAST_H_
#define KINORA_SERVICES_RUNNER_PAST_RUN_PAST_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/json/json.h"
#include "common/run_budget.h"
#include "kinora/v1/event.pb.h"
#include "services/runner/past/log_intake.h"
#include "services/runner/questions/run_questions.h"
#include "services/runner/state/job_time.h"
#include "services/runner/state/run_pauses.h"
#include "services/runner/state/run_state.h"

namespace kinora {

// Folds ledger events, in their order. Not thread-safe.
class RunPast {
 public:
  // The cap that the run began with. Before the first event.
  void RestoreCap(const v1::Cost& cap) { budget_.RestoreCap(cap); }

  void Apply(const v1::LedgerEvent& event);

  // Whether the ledger says already that the job has come to this; `status` is
  // a final one.
  bool Told(absl::string_view job_id, JobStatus status) const;
  // The job is called once more, as its result was lost: what it comes to now
  // is not told yet.
  void CallAgain(absl::string_view job_id);
  // kSucceeded or kReused if the ledger says so of the job, and where.
  std::optional<RunState::ToldEnd> ToldResult(absl::string_view job_id) const;
  // Attempts, failures and doubts; nothing for a job the ledger does not know.
  PastJob Of(absl::string_view job_id) const;

  // What the job has used of the time it may take in all, by the wall clock.
  absl::Duration TimeUsed(absl::string_view job_id, absl::Time now) const;

  // What the last attempt that left anything has left for the next one
  // (JobHeader.heartbeat_details); empty once the job has ended.
  std::string HeartbeatDetailsOf(absl::string_view job_id) const;

  // Forgets that jobs failed, and the time they took, but not their attempts:
  // they may be tried anew.
  void ForgetFailures();

  // Jobs whose last attempt has started and not ended, in the order of their
  // starts.
  std::vector<std::string> Interrupted() const;

  // Jobs that wait for their next attempt: after a failure, or in doubt. All of
  // them if `job_id` is empty, else that one if it does. Sorted.
  std::vector<std::string> AwaitingAttempt(absl::string_view job_id) const;
  // Whether the job is one of them.
  bool AwaitsAttempt(absl::string_view job_id) const;
  // Whether somebody has asked for a next attempt of the job that has not
  // started.
  bool IsToRetry(absl::string_view job_id) const;

  // Whether the ledger tells a plan's expansion by these artefacts.
  bool ToldExpansion(const std::vector<std::string>& landed) const;

  // The sequence up to which the ledger was folded.
  int64_t through() const { return through_; }
  void set_through(int64_t sequence) { through_ = sequence; }

  bool has_started() const { return has_started_; }
  const RunQuestions& questions() const { return questions_; }
  // Why the run is to be cancelled, if somebody asked for that.
  const std::optional<std::string>& cancel_reason() const {
    return cancel_reason_;
  }
  const RunPauses& pauses() const { return pauses_; }
  // Until when producers asked not to be called, by name, in milliseconds since
  // the epoch.
  const std::map<std::string, int64_t>& held_back() const { return held_back_; }
  const LogIntake& logs() const { return logs_; }
  // What has been spent and is reserved still, and the last cap that was set.
  const RunBudget& budget() const { return budget_; }

 private:
  struct Job {
    PastJob past;
    std::optional<JobStatus> told;  // kRunning or a final status
    size_t started = 0;             // counts the starts of the run
    size_t ended = 0;               // counts the ends of its jobs
    bool awaits_attempt = false;
    // It awaits one as the ledger tells that it is in doubt, and somebody has
    // asked for it since.
    bool is_doubted = false;
    bool to_retry = false;
    std::string heartbeat_details;
    JobTime time;
  };

  void Retried(const v1::LedgerEvent& event, const JsonValue& detail);
  void End(const v1::StepIdentity& step, JobStatus status, absl::Time at);
  void TakeJob(const v1::LedgerEvent& ledger);

  absl::flat_hash_map<std::string, Job> jobs_;
  absl::flat_hash_set<std::string> expanded_by_;
  size_t starts_ = 0;
  size_t ends_ = 0;
  int64_t through_ = 0;
  bool has_started_ = false;
  std::optional<std::string> cancel_reason_;
  RunPauses pauses_;
  std::map<std::string, int64_t> held_back_;
  LogIntake logs_;
  RunQuestions questions_;
  RunBudget budget_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_PAST_RUN_PAST_H_

// The state of a run as its ledger tells it: what GetRun answers, and how a
// run is found that ended without anybody noting it in its record.

#ifndef KINORA_SERVICES_RUNNER_PAST_RUN_REDUCTION_H_
#define KINORA_SERVICES_RUNNER_PAST_RUN_REDUCTION_H_

#include <cstdint>
#include <deque>
#include <string>

#include "absl/container/flat_hash_map.h"

#include "common/run_budget.h"
#include "kinora/v1/event.pb.h"
#include "kinora/v1/run_record.pb.h"
#include "services/runner/questions/run_questions.h"
#include "services/runner/state/run_pauses.h"

namespace kinora {

// A RunReduction folds ledger events into a RunSnapshot, in the order of the
// ledger. Not thread-safe.
//
// It is beside ledger/reduce.h, which has the shared rules: this one begins
// with the record, keeps the state of jobs, waits, questions and money, which
// the words of those rules cannot carry, and lines as they were sent. To hold
// the other snapshot, too, would keep each job twice. A test holds both to say
// the same of a run's status, end, error and number of lines.
class RunReduction {
 public:
  // Begins with what the record says; status and error are the ledger's as soon
  // as it has an event about them.
  explicit RunReduction(v1::RunRecord record);

  // Takes the next event. Events of other runs and unknown ones only move the
  // position. Of what outside workers report (common/reported_event.h) it takes
  // the lines and, if the run's caller carries it out, its start and end.
  void Apply(const v1::Event& event);

  // The snapshot so far. The record's job counts are those of the jobs seen,
  // unless the run has ended and the record says what it ended with.
  v1::RunSnapshot Snapshot() const;

  v1::RunStatus status() const { return record_.status(); }
  const std::string& error() const { return record_.error(); }
  int64_t last_sequence() const { return last_sequence_; }
  size_t job_count() const { return jobs_.size(); }  // of those seen
  int64_t total_log_count() const { return total_log_count_; }

 private:
  void ApplyLedger(const v1::LedgerEvent& event);
  void ApplyReported(const v1::LedgerEvent& event);
  void End(v1::RunStatus status, const std::string& error, int64_t at_ms);
  void TakeResult(const std::string& result_json);
  void TakeLines(const v1::LogAppendedEvent& event);
  void TakeJob(const v1::JobEvent& event);
  v1::JobState& Step(const v1::StepIdentity& step);
  void CountJobs(v1::RunRecord* record) const;

  v1::RunRecord record_;
  const bool recorded_end_;
  RunBudget budget_;
  int64_t last_sequence_ = 0;
  std::deque<v1::JobState> jobs_;  // in the order first seen
  absl::flat_hash_map<std::string, size_t> job_by_id_;
  std::deque<std::string> log_tail_;
  int64_t total_log_count_ = 0;
  RunPauses pauses_;
  RunQuestions questions_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_PAST_RUN_REDUCTION_H_

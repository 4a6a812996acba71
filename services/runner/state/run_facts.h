// What a RunState is told and what it tells: the facts of a run, what becomes
// of its jobs by them, and what is to be done.

#ifndef KINORA_SERVICES_RUNNER_STATE_RUN_FACTS_H_
#define KINORA_SERVICES_RUNNER_STATE_RUN_FACTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"

#include "kinora/v1/types.pb.h"
#include "services/runner/state/dispatch_queue.h"

namespace kinora {

enum class JobStatus {
  kPending,    // something it reads is not there yet, or its layer is not open
  kLookingUp,  // keyed; the caller is looking for an earlier result
  kReady,      // waits for a free place
  kRunning,
  kRetrying,  // waits for RetryDue
  // An attempt broke or was lost, and may have been paid for; waits for
  // DoubtResolved.
  kInDoubt,
  kAsking,  // waits for AnswerGiven or AnswerMissing, and holds no place
  // Final:
  kSucceeded,
  kReused,
  kFailed,
  kBlocked,
  kCancelled,
};

inline bool IsFinal(JobStatus status) {
  return status >= JobStatus::kSucceeded;
}

// Facts: what happened.

// What a process before this one came to with a job of the same run.
struct PastJob {
  uint32_t attempts = 0;  // started
  uint32_t failures = 0;  // of these; the others were interrupted
  bool in_doubt = false;  // nobody knows what became of the last one
  // The QuestionKey() of what it waits for an answer to; empty if it does not
  // wait.
  std::string asking;
  // Why it failed for good.
  std::optional<v1::Failure> failure;
  absl::Duration time_used;  // of what it may take in all (job_time.h)
};
// The lookup of a job's key; `outputs` are the contents of its artefacts in
// their order, or empty if there is no earlier result.
struct LookedUp {
  JobIndex job = 0;
  std::vector<v1::Content> outputs;
  bool is_own = false;  // this run has made them, in a process before this one
  PastJob past;
};
// The attempt made all outputs, and they are durable.
struct AttemptSucceeded {
  JobIndex job = 0;
  std::vector<v1::Content> outputs;  // in the order of the job's artefacts
  std::optional<absl::Duration> took = std::nullopt;  // if it is known
};
struct AttemptFailed {
  JobIndex job = 0;
  v1::Failure failure;
  // The producer had taken the job and did not say what became of it.
  bool in_doubt = false;
  // False for one that says nothing of the job and uses up no attempt.
  bool counts = true;
  absl::Duration time_used;  // as of PastJob, this attempt included
};
// The attempt ended without outputs, as the job waits for a person's answer. It
// has not failed.
struct AttemptAsks {
  JobIndex job = 0;
  bool in_doubt = false;  // as of AttemptFailed
};
// The answer that the job waits for is there: it may be called again.
struct AnswerGiven {
  JobIndex job = 0;
};
// There will be none: the job has failed for good.
struct AnswerMissing {
  JobIndex job = 0;
  v1::Failure failure;
};
// It is known what became of the last attempt, or somebody has decided: the job
// may be called again.
struct DoubtResolved {
  JobIndex job = 0;
  // Its producer has told: what is reserved for the job is there still, so it
  // goes before those that nobody has called.
  bool is_known = false;
};
// The delay of a JobChange to kRetrying has passed.
struct RetryDue {
  JobIndex job = 0;
};
struct CancelRequested {};

using RunFact = std::variant<LookedUp, AttemptSucceeded, AttemptFailed,
                             AttemptAsks, AnswerGiven, AnswerMissing, RetryDue,
                             DoubtResolved, CancelRequested>;

// What became of a job.
struct JobChange {
  JobIndex job = 0;
  JobStatus status = JobStatus::kPending;
  // Why: for kFailed and kRetrying the attempt's failure; for kBlocked one
  // with the root cause as its `cause`.
  v1::Failure failure;
  absl::Duration delay;  // for kRetrying: until RetryDue
  bool counts = true;    // for kRetrying: the attempt was used up
};

// What to do now.
struct RunCommands {
  std::vector<JobIndex> look_ups;
  std::vector<JobIndex> doubts;  // ask the producer what became of these
  std::vector<JobIndex> starts;

  bool empty() const {
    return look_ups.empty() && doubts.empty() && starts.empty();
  }
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_STATE_RUN_FACTS_H_

// Whether a run can be gone on with, how, and what is in the way: what GetRun
// tells of it, and the errors of ResumeRun, so that both say the same. Pure.

#ifndef KINORA_SERVICES_RUNNER_RUN_RECOVERY_H_
#define KINORA_SERVICES_RUNNER_RUN_RECOVERY_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "kinora/v1/lease.pb.h"
#include "kinora/v1/manifest.pb.h"
#include "kinora/v1/run_record.pb.h"

namespace kinora {

// What is known of a run and its movie. Of one that has ended `current` is not
// looked at, of one that has not neither are `active_run` and `start`.
struct RecoveryFacts {
  // As its ledger tells it.
  v1::RunSnapshot run;
  // Why its record or its ledger cannot be read.
  absl::Status damage;
  // It has not begun.
  bool is_queued = false;
  // This process carries it out.
  bool is_here = false;
  // The movie's lease, if somebody holds it.
  std::optional<v1::Lease> lease;
  // What is current in the movie; unset if that is not known.
  std::optional<v1::ManifestPointer> current;
  // Another run of the movie that has not ended; empty if there is none.
  std::string active_run;
  // What a new run in its place is known to fail with.
  absl::Status start;
  // Producers that its plan calls and the runner's table does not have.
  std::vector<std::string> unknown_producers;
  // What kept this runner from going on with it when it last tried.
  std::string obstacle;
  absl::Time now;
};

// All that is in the way of ResumeRun, each with its code and reason.
std::vector<absl::Status> RefusalsOf(const RecoveryFacts& facts);

// What ResumeRun fails with: code and reason of the first that is in the way,
// the messages of all. OK if nothing is. REQUIRES: none of them is OK.
absl::Status RefusalOf(const std::vector<absl::Status>& refusals);

v1::RunRecovery RecoveryOf(const RecoveryFacts& facts);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RUN_RECOVERY_H_

// What a copy of a movie is given before a recorded run is carried out again in
// it: the run as its runner would have left it, had it died at the checkpoint.

#ifndef KINORA_SERVICES_RUNNER_REPLAY_REPLAY_SEED_H_
#define KINORA_SERVICES_RUNNER_REPLAY_REPLAY_SEED_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"

#include "services/runner/replay/recorded_run.h"
#include "services/store/store.h"

namespace kinora {

// FAILED_PRECONDITION (BLOB_NOT_FOUND) naming a blob that the run read or made
// and that is gone. `copy` is of the movie as it was when the run began.
absl::Status CheckRecordedBlobs(const RecordedRun& run, const Store& copy);

// Puts what the jobs made that are `done` by event `through` of the run's
// ledger into the copy; and, unless another run `forks` off there, the run
// itself, open, with its plan and what its ledger tells of those jobs. No cap
// on costs is left. Gives the movie's lease up again.
absl::Status SeedReplay(const RecordedRun& run,
                        const std::map<std::string, JobEnd>& done,
                        int64_t through, bool forks, const Store& copy);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_REPLAY_REPLAY_SEED_H_

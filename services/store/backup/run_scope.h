// NarrowToRun() makes of what a movie holds what one run of it reaches, for the
// file of `kinora runs export`. That file is a copy of the movie, pruned to the
// run, and nothing else: whatever restores, verifies and continues a movie does
// so with it.
//
// It holds
//   - the run's record, its whole ledger and its plan;
//   - of the revisions the one that the run builds on and those that it has
//     published; the others count as pruned;
//   - both logs from their beginning, as each manifest is a projection of them:
//     the events of inputs that the plan has seen, and those of artefacts up to
//     what the run published. Of a run that published nothing they end before
//     what came of later runs; results of runs before it are there, as it may
//     have taken them, or may when it goes on;
//   - of the results that are older than its base the newest of each artefact;
//     earlier ones are pruned as takes.
//
// A run that goes on is told as it is now, closed: its ledger has one line more
// than it has in the store, a `run.cancelled` that says why, and its record
// says the same. Where the file is imported no runner goes on with it before a
// person resumes it.

#ifndef KINORA_SERVICES_STORE_BACKUP_RUN_SCOPE_H_
#define KINORA_SERVICES_STORE_BACKUP_RUN_SCOPE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "services/store/backup/movie_backup.h"
#include "services/store/backup/movie_moment.h"

namespace kinora {

// Why a run that was exported while it went on has ended there.
inline constexpr absl::string_view kExportedOpen =
    "exported while it went on: resume it to continue";

// NOT_FOUND (RUN_NOT_FOUND) if the movie has no such run; FAILED_PRECONDITION
// if it has not begun, or a revision that it needs was pruned; OUT_OF_RANGE
// (LOG_TRIMMED) if its events were removed; DATA_LOSS as of what is read.
// REQUIRES: a MovieHolds::ForCopy() hold.
absl::Status NarrowToRun(const MovieBackupCores& cores,
                         const std::string& movie_id, const std::string& run_id,
                         MovieMoment* moment);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BACKUP_RUN_SCOPE_H_

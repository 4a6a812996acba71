// NarrowToHistory() makes of what a movie holds what it held when its logs
// ended somewhere, for the copy in which a run is replayed: both logs from
// their beginning, as the run may have taken any result that was there, and
// the manifest that was current. Other revisions count as pruned, as nobody
// reads their manifests, and damage of these, or of what came later, is nothing
// to that copy.

#ifndef KINORA_SERVICES_STORE_BACKUP_HISTORY_SCOPE_H_
#define KINORA_SERVICES_STORE_BACKUP_HISTORY_SCOPE_H_

#include <string>

#include "absl/status/status.h"

#include "kinora/v1/maintenance.pb.h"
#include "services/store/backup/movie_backup.h"
#include "services/store/backup/movie_moment.h"

namespace kinora {

// INVALID_ARGUMENT naming the field of `until` that is negative; OUT_OF_RANGE
// (LOG_TRIMMED) if events before the end were removed.
// REQUIRES: a MovieHolds::ForCopy() hold.
absl::Status NarrowToHistory(const MovieBackupCores& cores,
                             const std::string& movie_id,
                             const v1::BackUpMovieRequest::HistoryEnd& until,
                             MovieMoment* moment);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BACKUP_HISTORY_SCOPE_H_

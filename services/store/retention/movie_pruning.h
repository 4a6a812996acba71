// Prunes revisions, runs and takes of a movie by number. Deletes no blob: what
// nothing names any more is the next collection's.
//
// Order: the RetentionRecord is replaced in one step, which decides; then the
// manifests of pruned revisions go, and of each run its record, its ledger, its
// index entry, and its plan where no run that is kept carries it out. After a
// crash the next pruning finishes what the record says.

#ifndef KINORA_SERVICES_STORE_RETENTION_MOVIE_PRUNING_H_
#define KINORA_SERVICES_STORE_RETENTION_MOVIE_PRUNING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"
#include "kinora/v1/maintenance.pb.h"
#include "services/store/event/event_log.h"
#include "services/store/event/log_event_store.h"
#include "services/store/lease/lease_store.h"
#include "services/store/movie/movie_catalog.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Borrowed.
struct MoviePruningCores {
  ObjectStorage& storage;
  EventLog& log;
  MovieCatalog& catalog;
  LogEventStore& events;
  LeaseStore& leases;
};

// MaintenanceService.PruneMovie on a movie that exists. Safe beside everything
// else. Kept whatever the numbers: the current revision, runs that have not
// ended, the run that holds the movie's lease, and events after the last
// commit. ABORTED if another pruning decides at the same time;
// FAILED_PRECONDITION while the movie is being backed up.
absl::StatusOr<v1::PruneMovieResponse> PruneMovie(
    const v1::PruneMovieRequest& request, const MoviePruningCores& cores);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_RETENTION_MOVIE_PRUNING_H_

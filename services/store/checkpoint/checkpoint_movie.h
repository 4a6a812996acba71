// CheckpointMovie() writes what a restarted store need not read again: the
// indexes of a movie's logs (services/store/index) and the checkpoints of their
// files (services/store/event/log_checkpoint.h). Both are derived.

#ifndef KINORA_SERVICES_STORE_CHECKPOINT_CHECKPOINT_MOVIE_H_
#define KINORA_SERVICES_STORE_CHECKPOINT_CHECKPOINT_MOVIE_H_

#include "absl/status/statusor.h"

#include "kinora/v1/maintenance.pb.h"
#include "services/store/event/event_log.h"
#include "services/store/event/log_event_store.h"
#include "services/store/movie/movie_catalog.h"

namespace kinora {

// What it works on.
struct CheckpointParts {
  EventLog& log;
  MovieCatalog& catalog;
  LogEventStore& events;
};

// As MaintenanceService.CheckpointMovie. Beside appends: what comes meanwhile
// is covered or not. UNIMPLEMENTED (RPC_NOT_IMPLEMENTED), and nothing done, if
// logs are to be removed.
absl::StatusOr<v1::CheckpointMovieResponse> CheckpointMovie(
    const CheckpointParts& parts, const v1::CheckpointMovieRequest& request);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_CHECKPOINT_CHECKPOINT_MOVIE_H_

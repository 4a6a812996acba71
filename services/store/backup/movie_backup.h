// BackUpMovie() writes a copy of a movie as it was at one moment, while
// writers, commits and collections go on: an archive that any tar reads
// (copy_layout.h).
//
// It holds what was acknowledged before it began, all of it, and nothing that
// came after its moment (movie_moment.h). While it is written nothing of the
// movie is pruned or trimmed (MovieHolds), and so no collection takes a blob
// that it will read. What it reads it checks: lines and their numbers,
// manifests and blobs against their hashes. Damage ends it with DATA_LOSS.
//
// With `run_id` it is a copy of what that run reaches alone (run_scope.h).
//
// Memory: the records of the runs, 64 bytes a blob, some megabytes.

#ifndef KINORA_SERVICES_STORE_BACKUP_MOVIE_BACKUP_H_
#define KINORA_SERVICES_STORE_BACKUP_MOVIE_BACKUP_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/clock.h"
#include "kinora/v1/maintenance.pb.h"
#include "services/store/event/event_log.h"
#include "services/store/event/log_event_store.h"
#include "services/store/manifest/manifest_store.h"
#include "services/store/movie/movie_catalog.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Borrowed.
struct MovieBackupCores {
  ObjectStorage& storage;
  EventLog& log;
  MovieCatalog& catalog;
  LogEventStore& events;
  ManifestStore& manifests;
  Clock& clock;
};

// Hands the archive's bytes to `write`; an error of it ends the backup and is
// returned. NOT_FOUND (MOVIE_NOT_FOUND), also if the movie is deleted
// meanwhile; of a run also the errors of NarrowToRun(). After an error the
// bytes are no whole archive.
absl::Status BackUpMovie(
    const v1::BackUpMovieRequest& request, const MovieBackupCores& cores,
    absl::FunctionRef<absl::Status(absl::string_view)> write);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BACKUP_MOVIE_BACKUP_H_

// RestoreMovie() makes a movie from a copy (copy_layout.h), under the id it had
// or another that is free.
//
// Order: `restoring/<movie>`; then logs, objects and blobs, each checked as it
// comes; then the entries of its runs in the index of all runs; `movie.json`,
// with which the movie exists; and `restoring/<movie>` goes. Whatever fails, or
// is cut short by a crash, before `movie.json`: there is no such movie, and
// what was written is removed at once, at the next open or when somebody takes
// the id, whichever comes first.
//
// The export of a run (run_scope.h) is such a copy, too; of that each manifest
// is made again from the events before the movie exists.
//
// Records keep their numbers, manifests their bytes and hashes. Under another
// id the movie's id changes in movie.json, in the records of runs and in plans,
// which get another hash by that. Events, which are history, stay as they are.
//
// Runs are found by their ids in one movie. A copy beside its original leaves
// those where they are: its runs are in its own list of runs alone, and
// movie.json says so (`sharesRuns`).

#ifndef KINORA_SERVICES_STORE_BACKUP_MOVIE_RESTORATION_H_
#define KINORA_SERVICES_STORE_BACKUP_MOVIE_RESTORATION_H_

#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/maintenance.pb.h"
#include "services/store/backup/history_end.h"
#include "services/store/event/event_log.h"
#include "services/store/event/log_event_store.h"
#include "services/store/movie/movie_catalog.h"
#include "services/store/movie/object_movie_store.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Borrowed.
struct MovieRestorationCores {
  ObjectStorage& storage;
  EventLog& log;
  MovieCatalog& catalog;
  LogEventStore& events;
  ObjectMovieStore& movies;
  // Also a copy without blobs is taken: they are elsewhere.
  bool takes_without_blobs = false;
  // The movie as it was then; unset for all that the copy holds. A checkpoint
  // that stands for more is OUT_OF_RANGE (LOG_TRIMMED).
  std::optional<HistoryEnd> end = std::nullopt;
};

// Takes the copy's next bytes from `read`, whose error ends it and is returned.
// ALREADY_EXISTS (MOVIE_EXISTS) if the id is taken: nothing was read then;
// INVALID_ARGUMENT (DATA_CORRUPT) naming the member that is damaged, missing or
// not of a copy, (FORMAT_UNKNOWN) for a copy by a newer build.
absl::StatusOr<v1::RestoreMovieResponse> RestoreMovie(
    absl::string_view movie_id, const MovieRestorationCores& cores,
    absl::FunctionRef<absl::StatusOr<std::string>()> read);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BACKUP_MOVIE_RESTORATION_H_

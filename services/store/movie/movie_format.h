// The on-disk format of a movie, and the steps that bring an older one up.
//
// The version is `formatVersion` in `movie.json`, and covers everything below
// `builds/<movie>/`:
//   1  the first
//   2  `movie.json` may have a quota and a tombstone, and say that runs are
//      shared; logs may begin behind what a checkpoint covers; revisions may
//      have been pruned
//   3  documents that are rewritten in place have a checksum, where they were
//      written since (services/store/object/checked_document.h); earlier
//      builds refuse records of runs and leases that have one
// The checksum of `movie.json` is looked at before its version: all later
// formats keep it in its place. A build reads and writes the newest version it
// knows, brings older movies up at their first use, and refuses newer ones, for
// reading too, while all other movies go on.

#ifndef KINORA_SERVICES_STORE_MOVIE_MOVIE_FORMAT_H_
#define KINORA_SERVICES_STORE_MOVIE_MOVIE_FORMAT_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "common/json/json.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// The format this build writes.
inline constexpr int64_t kMovieFormatVersion = 3;

// Brings a movie from version `from` to the next one.
struct MovieFormatStep {
  int64_t from = 0;
  // Changes the movie's objects and `movie`, the content of `movie.json`. The
  // step is done once `movie` is stored with its new version, so a crash
  // repeats it: it MUST come to the same end from every state it can leave.
  absl::Status (*run)(ObjectStorage& storage, absl::string_view movie_id,
                      JsonObject* movie) = nullptr;
};

// One step for each version before kMovieFormatVersion, in order.
absl::Span<const MovieFormatStep> MovieFormatSteps();

// The version that the `movie.json` with this content has. DATA_LOSS
// (DATA_CORRUPT) if it names none; FAILED_PRECONDITION (FORMAT_UNKNOWN) naming
// movie, file and versions if this build does not know it.
absl::StatusOr<int64_t> MovieFormatOf(absl::string_view movie_id,
                                      const JsonValue& movie);

// Runs the steps a movie lacks, and stores `movie.json` after each. `text` is
// its content. Returns what it is now. REQUIRES: one caller at a time for a
// movie. ABORTED, having stored nothing, if the file is not `text` any more.
absl::StatusOr<std::string> UpgradeMovie(
    ObjectStorage& storage, absl::string_view movie_id, std::string text,
    absl::Span<const MovieFormatStep> steps);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_MOVIE_MOVIE_FORMAT_H_

// Checking that all that lies below `builds/` belongs to a movie.
//
// A movie is a directory with a `movie.json`. One without may be:
//   - what a creation or an upload that was cut short has left: a blueprint,
//     blobs. The next movie of that id takes it up, so it is no problem;
//   - a restoration under way, or one that the next start removes;
//   - a movie that lost the file. Nobody lists it, verifies it or lets its id
//     be taken: that is a problem, and so is what no movie ever wrote.
// Empty directories are nothing.
//
// Told of, too, is a segment of the journal that was put aside because it was
// damaged and lines were lost (services/store/event/journal_mending.h).

#ifndef KINORA_SERVICES_STORE_VERIFY_DIRECTORIES_CHECK_H_
#define KINORA_SERVICES_STORE_VERIFY_DIRECTORIES_CHECK_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

#include "kinora/v1/maintenance.pb.h"
#include "services/store/movie/object_movie_store.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Reports each problem as it is found, by its path below the data directory,
// and at the end how many directories there are, as objects. An error of
// `report` ends it.
absl::Status CheckDirectories(
    ObjectStorage& storage, ObjectMovieStore& movies,
    absl::FunctionRef<absl::Status(const v1::VerifyMovieResponse&)> report);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_VERIFY_DIRECTORIES_CHECK_H_

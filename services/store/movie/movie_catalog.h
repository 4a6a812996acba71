// A MovieCatalog knows which movies exist: every store asks it before it
// touches a movie.
//
// A movie exists once its `movie.json` does, which is canonical JSON:
//   {"blueprintHash": SHA-256 of the blueprint it was created with,
//    "createTime": RFC 3339, "formatVersion": 1, "movieId": its id,
//    "requestId": of the request that created it, may be absent}
// The file is never rewritten. A reader looks at `formatVersion` first and
// refuses what it does not know, whatever else the file holds.

#ifndef KINORA_SERVICES_STORE_MOVIE_MOVIE_CATALOG_H_
#define KINORA_SERVICES_STORE_MOVIE_MOVIE_CATALOG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/mutex.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// The format this build writes, and the only one it reads.
inline constexpr int64_t kMovieFormatVersion = 1;

// The content of `movie.json`.
struct MovieFile {
  std::string movie_id;
  absl::Time create_time;
  std::string blueprint_hash;
  std::string request_id;
};

// Thread-safe. Calls may block on the storage.
class MovieCatalog {
 public:
  // `storage` MUST outlive the catalog.
  explicit MovieCatalog(ObjectStorage& storage) : storage_(storage) {}

  // OK if the movie exists. INVALID_ARGUMENT for a malformed id, NOT_FOUND
  // (MOVIE_NOT_FOUND), FAILED_PRECONDITION (FORMAT_UNKNOWN) for a movie of
  // another format. Remembers the movies it has seen, as none goes away.
  absl::Status Require(absl::string_view movie_id);

  // The movie's file; errors as Require(), DATA_LOSS (DATA_CORRUPT) if it does
  // not parse.
  absl::StatusOr<MovieFile> Load(absl::string_view movie_id);

  // Makes the movie exist. False, and nothing changed, if it does already.
  absl::StatusOr<bool> Create(const MovieFile& file);

  // The ids of all movies, ascending.
  absl::StatusOr<std::vector<std::string>> List();

 private:
  ObjectStorage& storage_;
  Mutex mu_;
  absl::flat_hash_set<std::string> known_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_MOVIE_MOVIE_CATALOG_H_

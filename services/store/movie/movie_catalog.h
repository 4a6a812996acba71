// A MovieCatalog knows which movies exist: every store asks it before it
// touches a movie.
//
// A movie exists while its `movie.json` does, which is canonical JSON and its
// checksum (services/store/object/checked_document.h):
//   {"blueprintHash": SHA-256 of the blueprint it was created with,
//    "createTime": RFC 3339,
//    "deleted": true once its deletion was decided; absent before,
//    "formatVersion": see movie_format.h,
//    "movieId": its id,
//    "quota": {"maxBlobBytes": n, "maxCost": {"currencyCode", "micros"},
//              "maxRevisions": n}; absent for no limits, maxCost also alone,
//    "requestId": of the request that created it, may be absent,
//    "sharesRuns": true for a copy beside its original: some of its runs are
//                  another movie's by their ids (services/store/backup/)}
// A reader looks at the checksum first, then at `formatVersion`, and refuses a
// version that it does not know, whatever else the file holds; a movie of an
// older format is brought up at its first use, or read as it is while the store
// takes no writes. A movie with a tombstone is gone for everybody but the
// deletion (movie_deletion.h), which removes the file last.

#ifndef KINORA_SERVICES_STORE_MOVIE_MOVIE_CATALOG_H_
#define KINORA_SERVICES_STORE_MOVIE_MOVIE_CATALOG_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/threads/mutex.h"
#include "services/store/event/event_log.h"
#include "services/store/movie/movie_holds.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// What a movie may hold; 0 means no limit.
struct MovieLimits {
  int64_t max_blob_bytes = 0;   // sum of the sizes of its blobs
  int64_t max_revisions = 0;    // kept by retention
  int64_t max_cost_micros = 0;  // of all its runs
  std::string cost_currency;
};

// The content of `movie.json`.
struct MovieFile {
  std::string movie_id;
  absl::Time create_time;
  std::string blueprint_hash;
  std::string request_id;
  MovieLimits limits;
  bool shares_runs = false;
  // Of an older format, which it keeps as the store takes no writes.
  bool is_older = false;
  bool deleted = false;
};

// Thread-safe. Calls may block on the storage.
class MovieCatalog {
 public:
  using Forget = absl::AnyInvocable<void(absl::string_view movie_id)>;

  // `storage` MUST outlive the catalog.
  explicit MovieCatalog(ObjectStorage& storage) : storage_(storage) {}

  // OK if the movie exists. INVALID_ARGUMENT for a malformed id, NOT_FOUND
  // (MOVIE_NOT_FOUND), FAILED_PRECONDITION (FORMAT_UNKNOWN) for a movie of
  // another format. Costs a look-up for a movie it has seen before.
  absl::Status Require(absl::string_view movie_id);

  // As Require(), at the beginning of a write: FAILED_PRECONDITION
  // (MOVIE_QUARANTINED), too, once a log of the movie was found damaged.
  absl::Status RequireWritable(absl::string_view movie_id);

  // The log that RequireWritable() asks for damage; it MUST outlive all calls.
  void WatchDamage(EventLog* log) { log_ = log; }

  // What the movie may hold; errors and cost as Require().
  absl::StatusOr<MovieLimits> Limits(absl::string_view movie_id);

  // The movie's file; errors as Require(), DATA_LOSS (DATA_CORRUPT) if it does
  // not parse.
  absl::StatusOr<MovieFile> Load(absl::string_view movie_id);

  // As Load(), but also of a movie with a tombstone.
  absl::StatusOr<MovieFile> LoadAny(absl::string_view movie_id);

  // Makes the movie exist. False, and nothing changed, if there is a
  // `movie.json`, be it with a tombstone.
  absl::StatusOr<bool> Create(const MovieFile& file);

  // As Create(), with the text of a `movie.json` as CopiedMovieFile() gives it.
  absl::StatusOr<bool> CreateFrom(absl::string_view movie_id,
                                  absl::string_view text);

  // Replaces the limits.
  absl::Status SetLimits(absl::string_view movie_id, const MovieLimits& limits);

  // Up to `limit` ids of movies after `after`, ascending. The first call lists
  // all movies; from then on a page costs the page. An id of a movie that was
  // deleted meanwhile may be among them.
  absl::StatusOr<std::vector<std::string>> ListAfter(absl::string_view after,
                                                     size_t limit);

  // What is under way with movies.
  MovieHolds& holds() { return holds_; }

  // For whoever keeps something about a movie in memory: `forget` is called
  // when a movie has been deleted and its logs are gone, before and after its
  // objects are, and when one is about to be restored. It MUST be short, and
  // callable as long as movies can be deleted.
  void OnDeleted(Forget forget);

  // The steps of a deletion; see movie_deletion.h.

  // Sets the tombstone. From its return on Require() is NOT_FOUND, and the
  // copies under way know.
  absl::Status Bury(absl::string_view movie_id);
  // Calls what OnDeleted() was given.
  void ForgetEverywhere(absl::string_view movie_id);
  // Removes `movie.json`.
  absl::Status Remove(absl::string_view movie_id);

 private:
  // A change of `movie.json` under the lock of all changes.
  absl::Status Change(absl::string_view movie_id,
                      absl::AnyInvocable<void(MovieFile*)> change);
  // The text of `movie.json`, in the newest format.
  absl::StatusOr<std::string> ReadText(absl::string_view movie_id);
  void DropLimits(absl::string_view movie_id) ABSL_LOCKS_EXCLUDED(mu_);

  ObjectStorage& storage_;
  std::atomic<EventLog*> log_ = nullptr;
  MovieHolds holds_;

  // One change of a `movie.json` at a time; taken before the others.
  Mutex change_mu_;

  Mutex mu_;
  // Of the movies seen. `changes_` counts what invalidates an entry, so that
  // a file read before a change is not remembered after it.
  absl::flat_hash_map<std::string, MovieLimits> known_ ABSL_GUARDED_BY(mu_);
  uint64_t changes_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<Forget> forget_ ABSL_GUARDED_BY(mu_);

  // Held while all movies are listed, so that none is missed. Taken alone.
  Mutex list_mu_;
  std::optional<std::set<std::string, std::less<>>> ids_
      ABSL_GUARDED_BY(list_mu_);
};

// NOT_FOUND (MOVIE_NOT_FOUND).
absl::Status MovieNotFound(absl::string_view movie_id);

// The content of a `movie.json` for a copy of its movie under the id
// `movie_id`; in the format it has. DATA_LOSS (DATA_CORRUPT) if `text` does not
// parse, FAILED_PRECONDITION (FORMAT_UNKNOWN) for a format this build does not
// know.
absl::StatusOr<std::string> CopiedMovieFile(absl::string_view text,
                                            absl::string_view movie_id,
                                            bool shares_runs);

// The `movieId` in a `movie.json`; errors as above.
absl::StatusOr<std::string> MovieIdIn(absl::string_view text);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_MOVIE_MOVIE_CATALOG_H_

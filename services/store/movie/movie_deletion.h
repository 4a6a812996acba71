// A MovieDeletion removes movies with all they hold.
//
// A deletion goes:
//   1. the movie's lease is taken, so that no run is active and no fenced write
//      is under way
//   2. `deleting/<movie>` is written, which leads an open after a crash here
//   3. the tombstone in movie.json: from here on the movie is gone for
//      everybody, and what follows happens now, at the next open or at the next
//      creation of that id, whichever comes first
//   4. removals under way are waited for; its logs are removed, and the objects
//      elsewhere that name its runs
//   5. what the stores hold of it in memory, so that no call under way writes
//      what it knows of them; then its objects
//   6. what such a call has taken up since
//   7. movie.json, then `deleting/<movie>`
// An upload that was let in before 3 fails, but may leave its blob in the
// directory, which is no harm to a movie of that id: a blob is its bytes. The
// lease's object stays, as its fencing tokens must never be given out again.
// Empty directories go at the next open (movie_directories.h).
//
// What a restoration leaves when it fails or is cut short (services/store/
// backup/) goes the same way: `restoring/<movie>` leads to it. With it go its
// directories.

#ifndef KINORA_SERVICES_STORE_MOVIE_MOVIE_DELETION_H_
#define KINORA_SERVICES_STORE_MOVIE_MOVIE_DELETION_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/threads/mutex.h"
#include "services/store/event/event_log.h"
#include "services/store/lease/lease_table.h"
#include "services/store/movie/movie_catalog.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Thread-safe. One deletion at a time.
class MovieDeletion {
 public:
  // All MUST outlive this.
  MovieDeletion(ObjectStorage& storage, EventLog& log, MovieCatalog& movies,
                LeaseTable& leases)
      : storage_(storage), log_(log), movies_(movies), leases_(leases) {}

  // Steps 1 to 3. NOT_FOUND (MOVIE_NOT_FOUND); FAILED_PRECONDITION (RUN_ACTIVE)
  // naming the run while the movie's lease is held. An error leaves nothing
  // held.
  absl::Status Begin(absl::string_view movie_id);

  // The other steps, if a deletion of the movie was begun. An error leaves the
  // rest for later.
  absl::Status Finish(absl::string_view movie_id);

  // Finishes every deletion that a crash cut short, and drops what it left of
  // restorations.
  absl::Status FinishAll();

  // Before a movie is restored, when there is none of that id: writes
  // `restoring/<movie>` and removes what a creation that was cut short left.
  absl::Status BeginRestoration(absl::string_view movie_id);

  // When the restoration is over, if one was begun: removes what it wrote,
  // unless the movie exists by now, then `restoring/<movie>`.
  absl::Status EndRestoration(absl::string_view movie_id);

 private:
  // Takes the movie's lease, or has it already.
  absl::StatusOr<v1::LeaseToken> TakeLease(absl::string_view movie_id);
  absl::Status ReleaseLease(const v1::LeaseToken& lease);
  absl::StatusOr<std::vector<std::string>> Begun(absl::string_view prefix);
  absl::Status Purge(absl::string_view movie_id)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Steps 4 to 6.
  absl::Status PurgeContent(absl::string_view movie_id)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Removes ledgers, index entries and leases of the movie's runs.
  absl::Status PurgeRuns(absl::string_view movie_id);
  // Removes the objects below `prefix`, but for the key `keep`.
  absl::Status PurgeObjects(absl::string_view prefix, absl::string_view keep);

  ObjectStorage& storage_;
  EventLog& log_;
  MovieCatalog& movies_;
  LeaseTable& leases_;
  Mutex mu_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_MOVIE_MOVIE_DELETION_H_

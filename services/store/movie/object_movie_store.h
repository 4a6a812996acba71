// An ObjectMovieStore creates movies and pins their blueprints.
//
// Creating one writes, in this order: the blueprint's blob, the event
// `Input:Blueprint` that names it, `movie.json`. The movie exists with the last
// of them, so a crash leaves no movie or a whole one; what an attempt left
// behind is taken up by the next.

#ifndef KINORA_SERVICES_STORE_MOVIE_OBJECT_MOVIE_STORE_H_
#define KINORA_SERVICES_STORE_MOVIE_OBJECT_MOVIE_STORE_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/clock.h"
#include "common/threads/mutex.h"
#include "services/store/blob/object_blob_store.h"
#include "services/store/event/event_log.h"
#include "services/store/event/log_event_store.h"
#include "services/store/lease/lease_table.h"
#include "services/store/manifest/manifest_store.h"
#include "services/store/movie/movie_catalog.h"
#include "services/store/movie/movie_deletion.h"
#include "services/store/movie/movie_store.h"
#include "services/store/object/object_storage.h"

namespace kinora {

inline constexpr size_t kMaxBlueprintBytes = size_t{1} << 20;
inline constexpr absl::string_view kBlueprintMimeType = "application/yaml";

// Thread-safe.
class ObjectMovieStore final : public MovieStore {
 public:
  // All MUST outlive the store.
  ObjectMovieStore(ObjectStorage& storage, EventLog& log, MovieCatalog& movies,
                   ObjectBlobStore& blobs, LogEventStore& events,
                   ManifestStore& manifests, LeaseTable& leases, Clock& clock)
      : log_(log),
        movies_(movies),
        blobs_(blobs),
        events_(events),
        manifests_(manifests),
        clock_(clock),
        deletion_(storage, log, movies, leases) {}

  // Finishes what deletions and restorations that were cut short have left. To
  // be called once the store is put together.
  absl::Status FinishDeletions() { return deletion_.FinishAll(); }

  // Takes the id for a movie that will be restored; nobody else gets it while
  // the hold lives. Nothing is left of what others may have begun there.
  // ALREADY_EXISTS (MOVIE_EXISTS) if it is taken.
  absl::StatusOr<std::unique_ptr<MovieHolds::Hold>> BeginRestoration(
      absl::string_view movie_id);

  // After a restoration, with its hold: drops what it wrote unless the movie
  // exists by now.
  absl::Status EndRestoration(absl::string_view movie_id) {
    return deletion_.EndRestoration(movie_id);
  }

  // FAILED_PRECONDITION if there is the history of a movie under the id, and no
  // movie. Waits for a creation that is under way.
  absl::Status CheckUnused(absl::string_view movie_id);

  // Idempotent by `request_id` if it is not empty and the blueprint is the
  // same; without one a movie that exists is ALREADY_EXISTS.
  absl::StatusOr<v1::CreateMovieResponse> Create(
      const v1::CreateMovieRequest& request) override;
  absl::StatusOr<v1::GetMovieResponse> Get(
      const v1::GetMovieRequest& request) override;

  // A movie that cannot be read, as it is damaged or of an unknown format, is
  // listed with its id alone.
  absl::StatusOr<v1::ListMoviesResponse> List(
      const v1::ListMoviesRequest& request) override;
  absl::StatusOr<v1::SetBlueprintResponse> SetBlueprint(
      const v1::SetBlueprintRequest& request) override;
  absl::StatusOr<v1::DeleteMovieResponse> Delete(
      const v1::DeleteMovieRequest& request) override;
  absl::StatusOr<v1::SetMovieQuotaResponse> SetQuota(
      const v1::SetMovieQuotaRequest& request) override;

 private:
  absl::StatusOr<v1::Movie> Load(const std::string& movie_id);
  // Load() that leaves what it has found in `*movie` when it fails, without
  // the blueprint.
  absl::Status Describe(const std::string& movie_id, v1::Movie* movie);
  // Waits for what is being removed of a movie that is deleted. Not under the
  // lock, as that may take long.
  void AwaitEndOf(absl::string_view movie_id) ABSL_LOCKS_EXCLUDED(mu_);
  // The movie's file, tombstones done away with; NOT_FOUND for a free id.
  absl::StatusOr<MovieFile> LoadLiving(absl::string_view movie_id)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status CheckUnusedLocked(const std::string& movie_id)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Stores the blueprint and appends the event that pins it for `revision`.
  absl::Status Pin(const std::string& movie_id, absl::string_view blueprint,
                   absl::string_view hash, absl::string_view revision,
                   int64_t max_blob_bytes);

  EventLog& log_;
  MovieCatalog& movies_;
  ObjectBlobStore& blobs_;
  LogEventStore& events_;
  ManifestStore& manifests_;
  Clock& clock_;
  MovieDeletion deletion_;
  // One creation, change of a blueprint or beginning of a deletion at a time.
  Mutex mu_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_MOVIE_OBJECT_MOVIE_STORE_H_

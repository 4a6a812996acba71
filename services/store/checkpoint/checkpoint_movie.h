// CheckpointMovie() writes what a restarted store need not read again: the
// indexes of a movie's logs (services/store/index) and the checkpoints of their
// files (services/store/event/log_checkpoint.h). Both are derived. On request
// it puts a revision checkpoint in the place of archived logs (covered_logs.h).

#ifndef KINORA_SERVICES_STORE_CHECKPOINT_CHECKPOINT_MOVIE_H_
#define KINORA_SERVICES_STORE_CHECKPOINT_CHECKPOINT_MOVIE_H_

#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"

#include "common/threads/mutex.h"
#include "kinora/v1/maintenance.pb.h"
#include "services/store/event/event_log.h"
#include "services/store/event/log_event_store.h"
#include "services/store/manifest/log_manifest_store.h"
#include "services/store/movie/movie_catalog.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// What it works on.
struct CheckpointParts {
  ObjectStorage& storage;
  EventLog& log;
  MovieCatalog& catalog;
  LogEventStore& events;
  LogManifestStore& manifests;
};

// The movies whose logs are being removed right now. Thread-safe.
class RemovalsUnderWay {
 public:
  // False if the movie is there already.
  bool Begin(const std::string& movie_id) {
    MutexLock lock(mu_);
    return movies_.insert(movie_id).second;
  }
  void End(const std::string& movie_id) {
    MutexLock lock(mu_);
    movies_.erase(movie_id);
  }

 private:
  Mutex mu_;
  absl::flat_hash_set<std::string> movies_ ABSL_GUARDED_BY(mu_);
};

// As MaintenanceService.CheckpointMovie. Beside appends: what comes meanwhile
// is covered or not.
absl::StatusOr<v1::CheckpointMovieResponse> CheckpointMovie(
    const CheckpointParts& parts, RemovalsUnderWay& removals,
    const v1::CheckpointMovieRequest& request);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_CHECKPOINT_CHECKPOINT_MOVIE_H_

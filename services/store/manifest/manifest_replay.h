// Making the manifests of a movie again from its logs alone.

#ifndef KINORA_SERVICES_STORE_MANIFEST_MANIFEST_REPLAY_H_
#define KINORA_SERVICES_STORE_MANIFEST_MANIFEST_REPLAY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"
#include "kinora/v1/manifest.pb.h"
#include "services/store/checkpoint/log_history.h"
#include "services/store/checkpoint/revision_checkpoint.h"
#include "services/store/event/event_log.h"
#include "services/store/event/event_ptr.h"
#include "services/store/event/log_event_store.h"
#include "services/store/manifest/manifest_builder.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// The events that `source` names, among those of artefacts.log after `*at` and
// up to `through` (0 for the end). Moves `*at` to the last one read.
absl::StatusOr<RevisionEvents> CollectRevisionEvents(
    LogEventStore& events, LogHistory& artefacts, const std::string& movie_id,
    const v1::RevisionCommitted& source, int64_t* at, int64_t through);

// The manifest of a checkpoint's revision, made of its events alone. DATA_LOSS
// if it does not have the hash that was committed.
absl::StatusOr<v1::Manifest> ManifestOf(RevisionCheckpoint& checkpoint);

// A ManifestReplay makes the manifests of all revisions, one after the other:
// each from the one before and the events that came between, the first from
// nothing or from a checkpoint. Not thread-safe. Safe beside appends, commits
// and the removal of logs.
class ManifestReplay {
 public:
  // What it works on; both MUST outlive it. `commits` are all of the movie.
  ManifestReplay(LogEventStore& events, ObjectStorage& storage, EventLog& log,
                 absl::string_view movie_id, std::vector<EventPtr> commits)
      : events_(events),
        storage_(storage),
        log_(log),
        movie_id_(movie_id),
        commits_(std::move(commits)) {}

  bool done() const { return next_ == commits_.size(); }
  // The commit whose manifest comes next. REQUIRES: !done().
  const v1::RevisionCommitted& next() const {
    return commits_[next_]->revision_committed();
  }

  // The bytes of the next manifest; the one after is next, also after an error.
  // OUT_OF_RANGE (LOG_TRIMMED), naming the oldest revision that can be rebuilt,
  // for one that lies before it; DATA_LOSS if the result does not have the hash
  // that was committed. REQUIRES: !done().
  absl::StatusOr<std::string> Next();

  // Takes the stored bytes of the last one instead of those that Next() made.
  absl::Status GoOnFrom(absl::string_view json);

 private:
  absl::Status Begin();
  absl::StatusOr<std::string> Make();

  LogEventStore& events_;
  ObjectStorage& storage_;
  EventLog& log_;
  const std::string movie_id_;
  const std::vector<EventPtr> commits_;

  bool begun_ = false;
  int64_t base_ = 0;  // the last event in the checkpoint it began with
  size_t next_ = 0;
  size_t oldest_ = 0;  // the first that can be rebuilt
  size_t made_ = 0;    // so many are made, or lie before the oldest
  int64_t after_ = 0;  // the last event in them
  v1::Manifest manifest_;
  std::string bytes_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_MANIFEST_MANIFEST_REPLAY_H_

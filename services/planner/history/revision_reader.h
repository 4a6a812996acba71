// A RevisionReader reads from a store what history is made of: revisions with
// their blueprints, and the events of the artefact log. It keeps the last few
// revisions, which never change.

#ifndef KINORA_SERVICES_PLANNER_HISTORY_REVISION_READER_H_
#define KINORA_SERVICES_PLANNER_HISTORY_REVISION_READER_H_

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "common/recently_used.h"
#include "common/threads/mutex.h"
#include "kinora/v1/event.pb.h"
#include "kinora/v1/manifest.pb.h"
#include "services/planner/history/revision_state.h"
#include "services/planner/movie_reader.h"
#include "services/store/store.h"

namespace kinora {

// Thread-safe. Calls block on the store, whose errors they return.
class RevisionReader {
 public:
  // The store and `movies` MUST outlive the reader.
  RevisionReader(const Store& store, MovieReader& movies)
      : store_(store), movies_(movies) {}

  // Where a revision is; the current one if `revision` is empty. NOT_FOUND
  // (REVISION_NOT_FOUND) if there is none, or it was pruned.
  absl::StatusOr<v1::ManifestPointer> Find(const std::string& movie_id,
                                           const std::string& revision);
  absl::StatusOr<RevisionState> Read(const std::string& movie_id,
                                     const v1::ManifestPointer& pointer);
  // Empty if the movie has no revision yet.
  absl::StatusOr<RevisionState> ReadCurrent(const std::string& movie_id);

  // Hands the events of the artefact log to `take`, in order: those meant for
  // revisions after `since_revision`, all if it is empty. Where events were
  // removed it hands out those that are kept, and sets `*complete` to false.
  absl::Status ForEachArtefactEvent(
      const std::string& movie_id, const std::string& since_revision,
      int64_t after_sequence,
      absl::FunctionRef<void(const v1::Event& event)> take, bool* complete);

  // Hands the events of one artefact to `take`, in order, where some were
  // removed those that are kept. The store finds them by an index.
  absl::Status ForEachAttempt(
      const std::string& movie_id, const std::string& artefact_id,
      absl::FunctionRef<void(const v1::Event& event)> take);

 private:
  static constexpr size_t kMaxCached = 4;

  const Store store_;
  MovieReader& movies_;
  Mutex mu_;
  // By the manifest's hash.
  RecentlyUsed<const RevisionState> states_ ABSL_GUARDED_BY(mu_){kMaxCached};
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_REVISION_READER_H_

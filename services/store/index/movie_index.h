// A MovieIndex answers which event an artefact resolves to, which attempts at
// it there were, which value an input has or had, and which revisions were
// committed, from the indexes of the movie's logs. Each call takes up what was
// appended first.
//
// Memory is bounded whatever the length of the logs. What is saved is not read
// again after a restart.
//
// A call may be under way while its movie is deleted. What it then saved would
// lie in the way of the next movie of that id, whose log is shorter: so the
// index is closed before its tables are removed.

#ifndef KINORA_SERVICES_STORE_INDEX_MOVIE_INDEX_H_
#define KINORA_SERVICES_STORE_INDEX_MOVIE_INDEX_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/threads/mutex.h"
#include "services/store/event/event_log.h"
#include "services/store/event/event_ptr.h"
#include "services/store/index/log_index.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// The latest event of every input among those up to `through`, by id.
struct InputsAt {
  int64_t through = 0;
  std::vector<EventPtr> inputs;
};

// Thread-safe. Errors are those of the log and the storage.
class MovieIndex {
 public:
  // Both MUST outlive the index.
  MovieIndex(EventLog& events, ObjectStorage& storage,
             absl::string_view movie_id, const IndexOptions& options);

  // For each query the latest succeeded event of the artefact, with the inputs
  // hash if one is given: after an edit and its undo the result of the first
  // value is still found. For one that asks for failed events, the latest
  // failure of the job itself, unless a later event with the same hash
  // succeeded. Null if there is none.
  absl::StatusOr<std::vector<EventPtr>> Resolve(
      const v1::ResolveArtefactsRequest& request);

  // False if Resolve() finds no failed event, whatever it is asked.
  absl::StatusOr<bool> MayHaveFailures();

  // The events after `after` of the artefact, whatever became of it, without
  // those that were removed and not kept: at most `limit`, and of about
  // `max_bytes` bytes (at least one if there is any).
  absl::StatusOr<IndexedPage> Attempts(absl::string_view artefact_id,
                                       int64_t after, int64_t limit,
                                       int64_t max_bytes);

  // The RevisionCommitted events, ascending.
  absl::StatusOr<std::vector<EventPtr>> Commits();

  // The latest event of the input; null if it was never set.
  absl::StatusOr<EventPtr> Input(absl::string_view input_id);

  // The inputs at an earlier point of the log, or at its end if `through` lies
  // beyond it. OUT_OF_RANGE (LOG_TRIMMED) naming the oldest such point that is
  // still known.
  absl::StatusOr<InputsAt> Inputs(int64_t through);

  // What Save() covers.
  struct Saved {
    int64_t inputs_through = 0;
    int64_t artefacts_through = 0;
  };

  // Writes what is in memory only.
  absl::StatusOr<Saved> Save();

  // When it returns, no call is under way, and none will read or write anything
  // any more: each is NOT_FOUND (MOVIE_NOT_FOUND).
  void Close();

 private:
  static absl::StatusOr<EventPtr> Resolve(const v1::ArtefactQuery& query,
                                          LogIndex& index);

  // Does `query` on an up-to-date index, again if a damaged table was dropped.
  absl::Status Ask(LogIndex& index,
                   absl::FunctionRef<absl::Status(LogIndex&)> query);

  absl::Status CheckOpen() const;

  const std::string movie_id_;
  std::atomic<bool> closed_{false};  // looked at under one of the two below
  Mutex artefacts_mu_;
  LogIndex artefacts_ ABSL_GUARDED_BY(artefacts_mu_);
  Mutex inputs_mu_;
  LogIndex inputs_ ABSL_GUARDED_BY(inputs_mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_INDEX_MOVIE_INDEX_H_

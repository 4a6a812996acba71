// RunPaths keeps the artefacts of a run apart in their readable files: no two
// may name the same path, nor one a file that is a directory of the other's, as
// `a.txt` and `a.txt/x.txt`. The one that came first stands, the other is
// refused before it is in the log.
//
// Only results of one run are compared, and of each artefact its newest. Of
// other artefacts of the movie nobody knows yet whether the run will move them,
// make them anew, or drop them, and a result that was paid for is not refused
// on a guess: where such a path clashes in the end, a scan tells of it
// (readable_files.h). So are reused results and edits by users let in whatever
// they name: they were in the log before. A reused one takes the path that it
// names for this run, if that is free.

#ifndef KINORA_SERVICES_STORE_READABLE_RUN_PATHS_H_
#define KINORA_SERVICES_STORE_READABLE_RUN_PATHS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/threads/mutex.h"
#include "kinora/v1/event.pb.h"
#include "services/store/event/event_log.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Says where the log of artefacts has the movie's newest commit: the results of
// a run that is under way come after it. 0 before the first.
using LastCommit =
    std::function<absl::StatusOr<int64_t>(absl::string_view movie_id)>;

// Remembers one run of each movie; another one is read from the log, as after a
// restart. Thread-safe.
class RunPaths {
 public:
  // The paths that an append takes. They are free again when this goes, unless
  // the events were appended; what an artefact had before stays its own until
  // then.
  class Claim;

  // Both MUST outlive this.
  RunPaths(EventLog& log, ObjectStorage& storage, LastCommit last_commit)
      : log_(log), storage_(storage), last_commit_(std::move(last_commit)) {}

  // Takes the paths of all results in `request`, an append to the log of
  // artefacts whose events are valid. Null if they name none, and none has
  // one. INVALID_ARGUMENT naming both artefacts and their paths if two clash,
  // also with an append that is not answered yet; errors of the log.
  absl::StatusOr<std::shared_ptr<Claim>> Take(
      const v1::AppendEventsRequest& request);

  // Drops what is remembered of a deleted movie.
  void Forget(absl::string_view movie_id);

 private:
  // A path and the artefact that has it, or is to have it.
  using PathAndId = std::pair<std::string, std::string>;
  struct Hold {
    bool in_log = false;  // by its artefact's newest result there
    int claims = 0;       // not answered yet
  };
  // What the newest result of an artefact in the log names.
  struct Named {
    std::string path;  // empty for none, or one that another artefact has
    int64_t sequence = 0;
  };
  struct Run {
    std::string run_id;
    std::map<PathAndId, Hold> holds;
    absl::flat_hash_map<std::string, Named> named;  // by artefact
  };
  struct Movie {
    Mutex mu;
    Run run ABSL_GUARDED_BY(mu);
    absl::flat_hash_set<Claim*> claims ABSL_GUARDED_BY(mu);  // not answered
  };
  // The paths that artefacts have within one append, by artefact.
  using Moves = absl::flat_hash_map<std::string, std::string>;

  // Null for one that is not remembered, unless it is to be made.
  std::shared_ptr<Movie> FindMovie(absl::string_view movie_id, bool make);
  // Makes the run of `movie` the one with that id, as the log and what is not
  // answered yet have it.
  absl::Status Recall(absl::string_view movie_id, const std::string& run_id,
                      Movie& movie) ABSL_EXCLUSIVE_LOCKS_REQUIRED(movie.mu);
  // Takes in a result of the log: its path, if `path` is not empty, is its
  // artefact's, and the one that this had is free.
  static void Note(const std::string& id, const std::string& path,
                   int64_t sequence, Run* run);
  // Ends one claim of a path.
  static void Unclaim(const std::string& id, const std::string& path, Run* run);
  // `moves` are those of the append so far.
  static absl::Status CheckFree(absl::string_view field, const Run& run,
                                const Moves& moves,
                                const v1::ArtefactEvent& artefact);

  EventLog& log_;
  ObjectStorage& storage_;
  const LastCommit last_commit_;
  Mutex mu_;
  absl::flat_hash_map<std::string, std::shared_ptr<Movie>> movies_
      ABSL_GUARDED_BY(mu_);
};

class RunPaths::Claim {
 public:
  explicit Claim(std::shared_ptr<Movie> movie) : movie_(std::move(movie)) {}
  ~Claim();
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  // The events are in the log, the first one with that number.
  void Keep(int64_t first_sequence);

 private:
  friend class RunPaths;

  struct Taken {
    int index = 0;  // of the event
    std::string run_id;
    std::string path;  // empty for a result without
    std::string artefact_id;
  };

  const std::shared_ptr<Movie> movie_;
  std::vector<Taken> taken_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_READABLE_RUN_PATHS_H_

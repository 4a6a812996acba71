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
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/mutex.h"
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
  // the events were appended.
  class Claim;

  // Both MUST outlive this.
  RunPaths(EventLog& log, ObjectStorage& storage, LastCommit last_commit)
      : log_(log), storage_(storage), last_commit_(std::move(last_commit)) {}

  // Takes the paths of all results in `request`, an append to the log of
  // artefacts whose events are valid. Null if they name none. INVALID_ARGUMENT
  // naming both artefacts and their paths if two clash, also with an append
  // that is not answered yet; errors of the log.
  absl::StatusOr<std::shared_ptr<Claim>> Take(
      const v1::AppendEventsRequest& request);

  // Drops what is remembered of a deleted movie.
  void Forget(absl::string_view movie_id);

 private:
  struct Run {
    std::string run_id;
    std::map<std::string, std::string> artefact_of;         // by path
    absl::flat_hash_map<std::string, std::string> path_of;  // by artefact
  };
  struct Movie {
    Mutex mu;
    Run run ABSL_GUARDED_BY(mu);
  };

  // Null for one that is not remembered, unless it is to be made.
  std::shared_ptr<Movie> FindMovie(absl::string_view movie_id, bool make);
  // Makes `run` the one with that id, as the log has it.
  absl::Status Recall(absl::string_view movie_id, const std::string& run_id,
                      Run* run);
  // Takes the path that a result of the run names, if it is free, and gives
  // back the one its artefact had. True if it took one.
  static bool Note(const v1::Event& event, Run* run);
  static absl::Status CheckFree(absl::string_view field, const Run& run,
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

  // The events are in the log.
  void Keep() { taken_.clear(); }

 private:
  friend class RunPaths;

  struct Taken {
    std::string run_id;
    std::string path;
    std::string artefact_id;
  };

  const std::shared_ptr<Movie> movie_;
  std::vector<Taken> taken_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_READABLE_RUN_PATHS_H_

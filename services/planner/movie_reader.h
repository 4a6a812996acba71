// A MovieReader reads from a store what planning a movie needs, and keeps what
// does not change: manifests and blueprints by hash, and an index of each
// movie's artefact log, which only ever grows. All of it can be dropped at any
// time; a planner without it is slower, not wrong.

#ifndef KINORA_SERVICES_PLANNER_MOVIE_READER_H_
#define KINORA_SERVICES_PLANNER_MOVIE_READER_H_

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/mutex.h"
#include "kinora/v1/manifest.pb.h"
#include "services/planner/blueprint/blueprint.h"
#include "services/planner/plan/artefact_log_index.h"
#include "services/planner/plan/input_values.h"
#include "services/store/store.h"

namespace kinora {

// A movie at one moment.
struct MovieSnapshot {
  std::shared_ptr<const Blueprint> blueprint;
  std::string blueprint_hash;
  std::shared_ptr<const v1::Manifest> base;  // null before the first revision
  std::string base_hash;
  // Null before the first revision or if it cannot be read any more.
  std::shared_ptr<const Blueprint> base_blueprint;
  InputMap inputs;
  int64_t inputs_through_sequence = 0;
};

// The index of one movie's artefact log.
struct MovieLog {
  Mutex mu;
  // When the movie was created: a movie of the same name may be another one.
  std::string birth ABSL_GUARDED_BY(mu);
  ArtefactLogIndex results ABSL_GUARDED_BY(mu);
};

// Thread-safe. Calls block on the store, whose errors they return.
class MovieReader {
 public:
  // The store MUST outlive the reader.
  explicit MovieReader(const Store& store) : store_(store) {}

  // NOT_FOUND (MOVIE_NOT_FOUND); FAILED_PRECONDITION (BLUEPRINT_INVALID) if
  // the pinned blueprint does not hold together.
  absl::StatusOr<MovieSnapshot> Read(const std::string& movie_id);

  // The log's index, kept by the caller as long as it uses it.
  std::shared_ptr<MovieLog> Log(const std::string& movie_id);

  // Brings the index up to the log's end.
  absl::Status CatchUp(const std::string& movie_id, MovieLog& log)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(log.mu);

 private:
  // A few movies are worked on at a time; an index may be large.
  static constexpr size_t kMaxCachedMovies = 32;
  static constexpr size_t kMaxCachedDocuments = 64;

  // The newest kMaxCachedDocuments values by key.
  template <typename T>
  class Recent {
   public:
    std::shared_ptr<T> Get(const std::string& key) const {
      for (const auto& [name, value] : entries_) {
        if (name == key) return value;
      }
      return nullptr;
    }
    void Put(const std::string& key, std::shared_ptr<T> value, size_t limit) {
      entries_.emplace_front(key, std::move(value));
      if (entries_.size() > limit) entries_.pop_back();
    }

   private:
    std::list<std::pair<std::string, std::shared_ptr<T>>> entries_;
  };

  absl::Status ReadManifest(const std::string& movie_id,
                            MovieSnapshot* snapshot);
  absl::Status ReadInputs(const std::string& movie_id, v1::Content* blueprint,
                          MovieSnapshot* snapshot);
  absl::StatusOr<std::shared_ptr<const Blueprint>> ReadBlueprint(
      const std::string& movie_id, const v1::Content& content);

  const Store store_;
  Mutex mu_;
  Recent<const v1::Manifest> manifests_ ABSL_GUARDED_BY(mu_);
  Recent<const Blueprint> blueprints_ ABSL_GUARDED_BY(mu_);
  Recent<MovieLog> logs_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_MOVIE_READER_H_

// A MovieReader reads from a store what all plans of a movie need, and keeps
// what does not change: blueprints by hash. They can be dropped at any time; a
// planner without them is slower, not wrong.

#ifndef KINORA_SERVICES_PLANNER_MOVIE_READER_H_
#define KINORA_SERVICES_PLANNER_MOVIE_READER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/mutex.h"
#include "common/recently_used.h"
#include "services/planner/blueprint/blueprint.h"
#include "services/planner/plan/input_values.h"
#include "services/store/store.h"

namespace kinora {

// What was set, up to a point of the log of inputs.
struct MovieInputs {
  InputMap values;        // without Input:Blueprint
  v1::Content blueprint;  // unset if none is pinned
  int64_t through_sequence = 0;

  // Takes the next event of the log.
  void Apply(const v1::InputEvent& event);
};

// A movie at one moment.
struct MovieSnapshot {
  std::shared_ptr<const Blueprint> blueprint;
  std::string blueprint_hash;
  InputMap inputs;
};

// Thread-safe. Calls block on the store, whose errors they return.
class MovieReader {
 public:
  // The store MUST outlive the reader.
  explicit MovieReader(const Store& store) : store_(store) {}

  // NOT_FOUND (MOVIE_NOT_FOUND); FAILED_PRECONDITION (BLUEPRINT_INVALID) if
  // the pinned blueprint does not hold together.
  absl::StatusOr<MovieSnapshot> Read(const std::string& movie_id);

  // What was set up to `through_sequence`; all for 0. OUT_OF_RANGE
  // (LOG_TRIMMED) if that is not known any more.
  absl::StatusOr<MovieInputs> ReadInputs(const std::string& movie_id,
                                         int64_t through_sequence = 0);

  // When the movie was made: one of the same name may be another one.
  absl::StatusOr<std::string> BirthOf(const std::string& movie_id);

  // The blueprint that `inputs` pin. Errors as of Read().
  absl::StatusOr<std::shared_ptr<const Blueprint>> PinnedBlueprint(
      const std::string& movie_id, const v1::Content& content);

 private:
  static constexpr size_t kMaxCachedBlueprints = 64;

  const Store store_;
  Mutex mu_;
  RecentlyUsed<const Blueprint> blueprints_ ABSL_GUARDED_BY(mu_){
      kMaxCachedBlueprints};
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_MOVIE_READER_H_

// A MovieReader reads from a store what all plans of a movie need, and keeps
// what does not change: blueprints, and what was checked, by hash. They can be
// dropped at any time; a planner without them is slower, not wrong.

#ifndef KINORA_SERVICES_PLANNER_MOVIE_READER_H_
#define KINORA_SERVICES_PLANNER_MOVIE_READER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/recently_used.h"
#include "common/threads/mutex.h"
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

  // Whether the bytes of an input of that type that is a blob are what the type
  // says: UTF-8 of text, JSON of json. INVALID_ARGUMENT says what they must be.
  // Bytes that are not there, yet to be sent or lost, or damaged count as
  // right: whoever reads them says so.
  absl::Status CheckBytes(const std::string& movie_id, InputType type,
                          const v1::Content& content);

  // CanonicalEdits(), the bytes of blobs included.
  absl::StatusOr<std::vector<v1::PendingEdit>> CheckedEdits(
      const std::string& movie_id, const Blueprint& blueprint,
      const InputMap& set, absl::string_view field,
      const google::protobuf::RepeatedPtrField<v1::PendingEdit>& edits);

  // When the movie was made: one of the same name may be another one.
  absl::StatusOr<std::string> BirthOf(const std::string& movie_id);

  // The blueprint that `inputs` pin. Errors as of Read().
  absl::StatusOr<std::shared_ptr<const Blueprint>> PinnedBlueprint(
      const std::string& movie_id, const v1::Content& content);

 private:
  static constexpr size_t kMaxCachedBlueprints = 64;
  // About 10 MB of names.
  static constexpr size_t kMaxCheckedBytes = 100'000;

  const Store store_;
  Mutex mu_;
  RecentlyUsed<const Blueprint> blueprints_ ABSL_GUARDED_BY(mu_){
      kMaxCachedBlueprints};
  // "type hash" of bytes that are what the type says.
  absl::flat_hash_set<std::string> checked_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_MOVIE_READER_H_

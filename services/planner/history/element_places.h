// ElementPlaces tells which inputs and artefacts a revision has room for, one
// by one: by the sizes of their dimensions and the conditions of their nodes. A
// graph knows that of all of them at once; this looks only where it is asked.

#ifndef KINORA_SERVICES_PLANNER_HISTORY_ELEMENT_PLACES_H_
#define KINORA_SERVICES_PLANNER_HISTORY_ELEMENT_PLACES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

#include "common/element_id.h"
#include "services/planner/blueprint/blueprint.h"
#include "services/planner/history/revision_state.h"
#include "services/planner/plan/deciding_values.h"

namespace kinora {

// Something by which there is no such input or artefact.
struct Obstacle {
  // The input or artefact that sizes a dimension or that a condition looks at;
  // Input:Blueprint if there never is one by the blueprint.
  std::string id;
  // Its value cannot be read any more, so it may be none.
  bool is_guess = false;
};

// True if there is an obstacle for sure.
bool IsKeptOut(const std::vector<Obstacle>& obstacles);

// Not thread-safe. Errors are those of the store's blobs; one that is gone is
// none.
class ElementPlaces {
 public:
  // An index in each dimension of the blueprint.
  using Point = std::vector<uint32_t>;

  // Goes by the rules of `rules` and the values of `values`. What `settled` has
  // the same value of is no obstacle and is not read; null for none. All MUST
  // outlive this.
  ElementPlaces(const Blueprint& rules, const RevisionState& values,
                const RevisionState* settled, DecidingReader& reader)
      : rules_(rules), values_(values), settled_(settled), reader_(reader) {}

  // What keeps `id` out; empty if nothing does. Dimensions that are nested in
  // one that is too short are not looked at, nor are conditions then.
  absl::StatusOr<std::vector<Obstacle>> ObstaclesTo(const ElementId& id);

  // The input or artefact that sizes a dimension at a point; empty if the
  // blueprint says the size.
  std::string SizerAt(int dimension, const Point& point) const;
  // The size there: 0 if the artefact that decides it is missing, nullopt if it
  // cannot be told.
  absl::StatusOr<std::optional<uint32_t>> SizeAt(int dimension,
                                                 const Point& point);

  // Fills in the indices of `id`; false if it has not these dimensions.
  bool PlaceAt(const std::vector<int>& dimensions, const ElementId& id,
               Point* point) const;

  const Blueprint& rules() const { return rules_; }

 private:
  absl::Status CheckSizes(const std::vector<int>& dimensions,
                          const Point& point, std::vector<Obstacle>* obstacles);
  absl::Status CheckCondition(const Condition& condition, Point point,
                              std::vector<Obstacle>* obstacles);
  // nullopt if the value cannot be told. REQUIRES: the artefact is there.
  absl::StatusOr<std::optional<DecidingValue>> ValueOf(int output,
                                                       const std::string& id);
  bool IsSettled(const std::string& id) const {
    return settled_ != nullptr && settled_->HashOf(id) == values_.HashOf(id);
  }

  const Blueprint& rules_;
  const RevisionState& values_;
  const RevisionState* const settled_;
  DecidingReader& reader_;
  // By artefact. One list may size the dimension of a million others.
  absl::flat_hash_map<std::string, std::optional<DecidingValue>> known_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_ELEMENT_PLACES_H_

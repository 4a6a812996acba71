// PlaceChanges says why an input or artefact is in one of two revisions and not
// in the other: what sizes its dimensions, what the conditions of its node look
// at, or the blueprint.

#ifndef KINORA_SERVICES_PLANNER_HISTORY_PLACE_CHANGES_H_
#define KINORA_SERVICES_PLANNER_HISTORY_PLACE_CHANGES_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "services/planner/history/change_reasons.h"
#include "services/planner/history/element_places.h"
#include "services/planner/history/revision_state.h"

namespace kinora {

struct PlaceChange {
  bool was_there = true;
  bool is_there = true;
  // If it is in one of them only, what decided that and has another value now:
  // ids of inputs and artefacts, Input:Blueprint last. Empty if that is not
  // known, or a scope had left it out.
  std::vector<std::string> deciders;

  bool is_move() const { return was_there != is_there; }
};

// Not thread-safe. Errors are those of the store's blobs.
class PlaceChanges {
 public:
  // All MUST outlive this.
  PlaceChanges(const RevisionState& before, const RevisionState& now,
               DecidingReader& reader);

  // What there is not in either counts as being in both.
  absl::StatusOr<PlaceChange> Of(const std::string& id);

  // Says of something that came or went that it did, and by what.
  void Say(const PlaceChange& change, ChangeReasons* reasons) const;

  bool blueprint_differs() const { return blueprint_differs_; }

  // By the rules and values of each; null if the blueprint is not known.
  ElementPlaces* before() { return before_ ? &*before_ : nullptr; }
  ElementPlaces* now() { return now_ ? &*now_ : nullptr; }

 private:
  absl::StatusOr<std::vector<std::string>> DecidersOf(
      const ElementId& id, std::optional<ElementPlaces>* absent,
      std::optional<ElementPlaces>* by_other_rules);

  const RevisionState& state_before_;
  const RevisionState& state_now_;
  const bool blueprint_differs_;
  std::optional<ElementPlaces> before_;
  std::optional<ElementPlaces> now_;
  // The values of one by the rules of the other; only if these differ.
  std::optional<ElementPlaces> before_by_rules_of_now_;
  std::optional<ElementPlaces> now_by_rules_of_before_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_PLACE_CHANGES_H_

#include "services/planner/history/place_changes.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "common/element_id.h"
#include "common/status.h"
#include "services/planner/plan/input_values.h"

namespace kinora {

PlaceChanges::PlaceChanges(const RevisionState& before,
                           const RevisionState& now, DecidingReader& reader)
    : state_before_(before),
      state_now_(now),
      blueprint_differs_(before.HashOf(std::string(kBlueprintInputId)) !=
                         now.HashOf(std::string(kBlueprintInputId))) {
  const Blueprint* old_rules = before.blueprint.get();
  const Blueprint* rules = now.blueprint.get();
  // By the same rules only what has another value can make a difference.
  if (old_rules != nullptr) {
    before_.emplace(*old_rules, before, blueprint_differs_ ? nullptr : &now,
                    reader);
  }
  if (rules != nullptr) {
    now_.emplace(*rules, now, blueprint_differs_ ? nullptr : &before, reader);
  }
  if (!blueprint_differs_ || old_rules == nullptr || rules == nullptr) return;
  before_by_rules_of_now_.emplace(*rules, before, nullptr, reader);
  now_by_rules_of_before_.emplace(*old_rules, now, nullptr, reader);
}

absl::StatusOr<PlaceChange> PlaceChanges::Of(const std::string& id) {
  PlaceChange change;
  if (state_before_.manifest == nullptr || state_now_.manifest == nullptr) {
    return change;
  }
  const absl::StatusOr<ElementId> parsed = ElementId::Parse(id);
  if (!parsed.ok()) return change;
  if (parsed->kind == ElementId::Kind::kArtefact) {
    change.was_there = state_before_.FindArtefact(id) != nullptr;
    change.is_there = state_now_.FindArtefact(id) != nullptr;
  } else if (!parsed->indices.empty() && before_ && now_) {
    KINORA_ASSIGN_OR_RETURN(const std::vector<Obstacle> old,
                            before_->ObstaclesTo(*parsed));
    KINORA_ASSIGN_OR_RETURN(const std::vector<Obstacle> current,
                            now_->ObstaclesTo(*parsed));
    change.was_there = !IsKeptOut(old);
    change.is_there = !IsKeptOut(current);
  }
  if (!change.is_move()) return PlaceChange();
  KINORA_ASSIGN_OR_RETURN(
      change.deciders,
      change.was_there
          ? DecidersOf(*parsed, &now_, &now_by_rules_of_before_)
          : DecidersOf(*parsed, &before_, &before_by_rules_of_now_));
  return change;
}

absl::StatusOr<std::vector<std::string>> PlaceChanges::DecidersOf(
    const ElementId& id, std::optional<ElementPlaces>* absent,
    std::optional<ElementPlaces>* by_other_rules) {
  std::vector<std::string> deciders;
  std::vector<Obstacle> obstacles;
  if (absent->has_value()) {
    KINORA_ASSIGN_OR_RETURN(obstacles, (*absent)->ObstaclesTo(id));
  } else {
    // All that is known is whether the blueprint changed.
    obstacles.push_back({std::string(kBlueprintInputId)});
  }
  const bool kept_out = IsKeptOut(obstacles);
  bool by_blueprint = false;
  for (const Obstacle& obstacle : obstacles) {
    if (obstacle.is_guess && kept_out) continue;
    if (obstacle.id != kBlueprintInputId &&
        state_before_.HashOf(obstacle.id) != state_now_.HashOf(obstacle.id)) {
      deciders.push_back(obstacle.id);
    } else if (!obstacle.is_guess) {
      // The rule is a new one.
      by_blueprint = true;
    }
  }
  if (!by_blueprint && !deciders.empty() && by_other_rules->has_value()) {
    // With the values as they are it would be there but for the blueprint.
    KINORA_ASSIGN_OR_RETURN(const std::vector<Obstacle> others,
                            (*by_other_rules)->ObstaclesTo(id));
    by_blueprint = others.empty();
  }
  if (by_blueprint && blueprint_differs_) {
    deciders.emplace_back(kBlueprintInputId);
  }
  return deciders;
}

void PlaceChanges::Say(const PlaceChange& change,
                       ChangeReasons* reasons) const {
  if (change.is_there) {
    reasons->Add(v1::REASON_KIND_MISSING,
                 absl::StrCat("not in ", state_before_.revision()));
  } else {
    reasons->Add(v1::REASON_KIND_REMOVED);
  }
  for (const std::string& decider : change.deciders) {
    reasons->AddSubject(IsInputId(decider) ? v1::REASON_KIND_INPUT_CHANGED
                                           : v1::REASON_KIND_ARTEFACT_CHANGED,
                        decider);
  }
}

}  // namespace kinora

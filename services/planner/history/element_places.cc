#include "services/planner/history/element_places.h"

#include <algorithm>
#include <utility>

#include "common/status.h"
#include "services/planner/plan/conditions.h"
#include "services/planner/plan/graph_shape.h"
#include "services/planner/plan/input_values.h"

namespace kinora {
namespace {

// A value that is gone, or is none that can decide.
bool IsUnreadable(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsFailedPrecondition(status);
}

Obstacle ByBlueprint() { return {std::string(kBlueprintInputId)}; }

}  // namespace

bool IsKeptOut(const std::vector<Obstacle>& obstacles) {
  return std::any_of(
      obstacles.begin(), obstacles.end(),
      [](const Obstacle& obstacle) { return !obstacle.is_guess; });
}

bool ElementPlaces::PlaceAt(const std::vector<int>& dimensions,
                            const ElementId& id, Point* point) const {
  if (dimensions.size() != id.indices.size()) return false;
  point->assign(rules_.dimensions.size(), 0);
  for (size_t i = 0; i < dimensions.size(); ++i) {
    if (rules_.dimensions[dimensions[i]].name != id.indices[i].dimension) {
      return false;
    }
    (*point)[dimensions[i]] = id.indices[i].index;
  }
  return true;
}

absl::StatusOr<std::vector<Obstacle>> ElementPlaces::ObstaclesTo(
    const ElementId& id) {
  std::vector<Obstacle> obstacles;
  const bool is_input = id.kind == ElementId::Kind::kInput;
  const int declared =
      is_input ? rules_.FindInput(id.name) : rules_.FindOutput(id.name);
  Point point;
  if (declared < 0) return std::vector<Obstacle>{ByBlueprint()};
  const std::vector<int>& dimensions =
      rules_.DimensionsOf({.is_input = is_input, .target = declared});
  if (!PlaceAt(dimensions, id, &point)) {
    return std::vector<Obstacle>{ByBlueprint()};
  }
  KINORA_RETURN_IF_ERROR(CheckSizes(dimensions, point, &obstacles));
  if (is_input || IsKeptOut(obstacles)) return obstacles;
  const NodeDeclaration& node = rules_.nodes[rules_.outputs[declared].node];
  for (const Condition& condition : node.conditions) {
    KINORA_RETURN_IF_ERROR(CheckCondition(condition, point, &obstacles));
  }
  return obstacles;
}

absl::Status ElementPlaces::CheckSizes(const std::vector<int>& dimensions,
                                       const Point& point,
                                       std::vector<Obstacle>* obstacles) {
  std::vector<int> too_short;
  for (int id : dimensions) {
    const DimensionDeclaration& dimension = rules_.dimensions[id];
    const bool is_within_one =
        std::any_of(dimension.ancestors.begin(), dimension.ancestors.end(),
                    [&too_short](int outer) {
                      return std::find(too_short.begin(), too_short.end(),
                                       outer) != too_short.end();
                    });
    if (is_within_one) continue;
    const std::string sizer = SizerAt(id, point);
    if (IsSettled(sizer.empty() ? std::string(kBlueprintInputId) : sizer)) {
      continue;
    }
    KINORA_ASSIGN_OR_RETURN(const std::optional<uint32_t> size,
                            SizeAt(id, point));
    if (!size.has_value()) {
      obstacles->push_back({sizer, true});
    } else if (point[id] >= *size) {
      obstacles->push_back(sizer.empty() ? ByBlueprint() : Obstacle{sizer});
      too_short.push_back(id);
    }
  }
  return absl::OkStatus();
}

absl::Status ElementPlaces::CheckCondition(const Condition& condition,
                                           Point point,
                                           std::vector<Obstacle>* obstacles) {
  const Reference& read = condition.value;
  const std::vector<int>& dimensions = rules_.DimensionsOf(read);
  for (size_t i = 0; i < dimensions.size(); ++i) {
    const int64_t at = read.indices[i].At(point[dimensions[i]]);
    if (at < 0) {
      // It holds for nothing that is outside.
      obstacles->push_back(ByBlueprint());
      return absl::OkStatus();
    }
    point[dimensions[i]] = static_cast<uint32_t>(at);
  }
  absl::StatusOr<bool> holds = false;
  const std::string id = ElementIdAt(rules_, read, point);
  if (read.is_input) {
    const InputDeclaration& input = rules_.inputs[read.target];
    const size_t others = obstacles->size();
    KINORA_RETURN_IF_ERROR(CheckSizes(dimensions, point, obstacles));
    if (obstacles->size() > others) return absl::OkStatus();
    if (IsSettled(id)) return absl::OkStatus();
    holds = InputHolds(condition, input, id, values_.FindInput(id));
  } else {
    if (IsSettled(id)) return absl::OkStatus();
    if (values_.FindArtefact(id) != nullptr) {
      KINORA_ASSIGN_OR_RETURN(const std::optional<DecidingValue> value,
                              ValueOf(read.target, id));
      holds = value.has_value()
                  ? ArtefactHolds(condition, id, *value)
                  : DecisionInvalid(id, "cannot be read any more");
    }
  }
  if (!holds.ok()) {
    obstacles->push_back({id, true});
  } else if (!*holds) {
    obstacles->push_back({id});
  }
  return absl::OkStatus();
}

std::string ElementPlaces::SizerAt(int dimension, const Point& point) const {
  const DimensionDeclaration& declared = rules_.dimensions[dimension];
  if (declared.size_input >= 0) {
    return ElementIdAt(
        rules_, {.is_input = true, .target = declared.size_input}, point);
  }
  if (declared.size_output >= 0) {
    return ElementIdAt(rules_, {.target = declared.size_output}, point);
  }
  return "";
}

absl::StatusOr<std::optional<uint32_t>> ElementPlaces::SizeAt(
    int dimension, const Point& point) {
  const DimensionDeclaration& declared = rules_.dimensions[dimension];
  const std::string sizer = SizerAt(dimension, point);
  if (sizer.empty()) return std::optional<uint32_t>(declared.size);
  if (declared.size_input >= 0) {
    const v1::Content* value = values_.FindInput(sizer);
    if (value == nullptr) return std::optional<uint32_t>();
    const absl::StatusOr<uint32_t> size =
        SizeFromValue(rules_.inputs[declared.size_input], sizer, *value);
    return size.ok() ? std::optional<uint32_t>(*size) : std::nullopt;
  }
  if (values_.FindArtefact(sizer) == nullptr) {
    return std::optional<uint32_t>(0);
  }
  KINORA_ASSIGN_OR_RETURN(const std::optional<DecidingValue> value,
                          ValueOf(declared.size_output, sizer));
  if (!value.has_value() || !value->length.has_value()) {
    return std::optional<uint32_t>();
  }
  return std::optional<uint32_t>(static_cast<uint32_t>(
      std::min<uint64_t>(*value->length, kMaxDimensionSize)));
}

absl::StatusOr<std::optional<DecidingValue>> ElementPlaces::ValueOf(
    int output, const std::string& id) {
  const auto known = known_.find(id);
  if (known != known_.end()) return known->second;
  DecidedArtefact artefact;
  artefact.output = output;
  artefact.artefact_id = id;
  artefact.content = values_.FindArtefact(id)->content();
  absl::StatusOr<DecidingValue> value = reader_.Read(rules_, artefact);
  if (!value.ok() && !IsUnreadable(value.status())) return value.status();
  std::optional<DecidingValue>& kept = known_[id];
  if (value.ok()) kept = *std::move(value);
  return kept;
}

}  // namespace kinora

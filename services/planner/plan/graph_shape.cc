#include "services/planner/plan/graph_shape.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/json/json.h"
#include "common/status.h"
#include "services/planner/graph/element_walk.h"
#include "services/planner/plan/conditions.h"

namespace kinora {
namespace {

std::string Show(const v1::Content& content) {
  return ClipValue(content.inline_().data());
}

enum class Truth : uint8_t { kNo, kYes, kUnknown };

Truth TruthOf(bool holds) { return holds ? Truth::kYes : Truth::kNo; }

class ShapeBuilder {
 public:
  // Without `values` no artefact is known, and nodes are left out.
  ShapeBuilder(const Blueprint& blueprint, const InputMap& set,
               const DecidingValues* values)
      : blueprint_(blueprint),
        set_(set),
        values_(values),
        index_of_dimension_(blueprint.dimensions.size()) {
    shape_.extents.resize(blueprint.dimensions.size());
  }

  absl::StatusOr<GraphShape> Build() {
    for (const ShapeStep& step : blueprint_.shape_order) {
      if (step.dimension >= 0) {
        KINORA_RETURN_IF_ERROR(SizeDimension(step.dimension));
      } else if (values_ != nullptr) {
        KINORA_RETURN_IF_ERROR(JudgeNode(static_cast<size_t>(step.node)));
      }
    }
    return std::move(shape_);
  }

 private:
  // A size; nullopt if it is not known yet.
  using Size = std::optional<uint32_t>;

  absl::Status SizeDimension(int id) {
    const DimensionDeclaration& dimension = blueprint_.dimensions[id];
    DimensionExtent& extent = shape_.extents[id];
    if (dimension.size_input < 0 && dimension.size_output < 0) {
      extent.size = dimension.size;
      return absl::OkStatus();
    }
    const std::vector<int>& over =
        dimension.size_input >= 0
            ? blueprint_.inputs[dimension.size_input].over
            : blueprint_.outputs[dimension.size_output].dimensions;
    if (over.empty()) {
      KINORA_ASSIGN_OR_RETURN(const Size size, SizeHere(dimension));
      extent.size = size.value_or(0);
      extent.is_unknown = !size.has_value();
      return absl::OkStatus();
    }
    return SizeRagged(dimension, &extent);
  }

  // A size for each point of the dimensions it is nested in.
  absl::Status SizeRagged(const DimensionDeclaration& dimension,
                          DimensionExtent* extent) {
    const PointSpace above(blueprint_, shape_.extents, dimension.ancestors);
    if (above.volume() > kMaxGraphElements) {
      return TooManyValues(dimension.name);
    }
    extent->is_ragged = true;
    std::vector<uint32_t> point;
    for (uint32_t number = 0; number < above.volume(); ++number) {
      above.FillPoint(number, &point);
      SetIndices(dimension.ancestors, point);
      KINORA_ASSIGN_OR_RETURN(const Size size, SizeHere(dimension));
      extent->sizes.push_back(size.value_or(0));
      if (size.has_value()) continue;
      extent->unknown.resize(above.volume(), false);
      extent->unknown[number] = true;
    }
    return absl::OkStatus();
  }

  void SetIndices(const std::vector<int>& dimensions,
                  const std::vector<uint32_t>& point) {
    for (size_t i = 0; i < point.size(); ++i) {
      index_of_dimension_[dimensions[i]] = point[i];
    }
  }

  // The size at the indices that are set.
  absl::StatusOr<Size> SizeHere(const DimensionDeclaration& dimension) {
    if (dimension.size_input >= 0) {
      const InputDeclaration& input = blueprint_.inputs[dimension.size_input];
      const std::string id = ElementIdAt(
          blueprint_, {.is_input = true, .target = dimension.size_input},
          index_of_dimension_);
      const v1::Content* value = EffectiveValue(input, id, set_);
      if (value == nullptr) {
        return InputMissing(
            input, id,
            absl::StrCat("has neither a value nor a default, and is the size "
                         "of dimension ",
                         dimension.name));
      }
      KINORA_ASSIGN_OR_RETURN(const uint32_t size,
                              SizeFromValue(input, id, *value));
      return Size(size);
    }
    std::string id;
    const DecidingValue* value = nullptr;
    switch (Look(dimension.size_output, &id, &value)) {
      case Truth::kNo:
        return Size(0);
      case Truth::kUnknown:
        return Size();
      case Truth::kYes:
        break;
    }
    if (value->length.has_value() && *value->length <= kMaxDimensionSize) {
      return Size(static_cast<uint32_t>(*value->length));
    }
    return DecisionInvalid(
        id, absl::StrCat("is the size of dimension ", dimension.name,
                         ", so it must be a JSON list of at most ",
                         kMaxDimensionSize, " elements, but it is \"",
                         value->shown, "\""));
  }

  // Looks at the artefact of an output at the indices that are set: kYes and
  // its value; kNo if no active job makes it.
  Truth Look(int output_id, std::string* id, const DecidingValue** value) {
    const OutputDeclaration& output = blueprint_.outputs[output_id];
    const size_t node = static_cast<size_t>(output.node);
    *id = ElementIdAt(blueprint_, {.target = output_id}, index_of_dimension_);
    bool decided = true;
    if (HasFlag(shape_.inactive, node) || HasFlag(shape_.undecided, node)) {
      const std::vector<int>& over = blueprint_.nodes[node].over;
      std::vector<uint32_t> point;
      point.reserve(over.size());
      for (int dimension : over) {
        point.push_back(index_of_dimension_[dimension]);
      }
      const std::optional<uint32_t> job =
          PointSpace(blueprint_, shape_.extents, over).Number(point);
      if (job.has_value() && HasFlag(shape_.inactive, node) &&
          shape_.inactive[node][*job]) {
        return Truth::kNo;
      }
      decided = !(job.has_value() && HasFlag(shape_.undecided, node) &&
                  shape_.undecided[node][*job]);
    }
    if (decided && values_ != nullptr) {
      const auto found = values_->find(*id);
      if (found != values_->end()) {
        *value = &found->second;
        return Truth::kYes;
      }
    }
    shape_.unknown.insert(*id);
    return Truth::kUnknown;
  }

  static bool HasFlag(const std::vector<std::vector<bool>>& flags,
                      size_t node) {
    return node < flags.size() && !flags[node].empty();
  }

  // Tells for which jobs one condition holds; looks at each value once.
  struct ConditionJudge {
    ConditionJudge(const Condition& what, const PointSpace& space,
                   const std::vector<int>& own)
        : condition(what),
          values(space),
          walk(values, own, what.value.indices),
          known(std::min(values.volume(), kMaxGraphElements)) {}
    ConditionJudge(const ConditionJudge&) = delete;
    ConditionJudge& operator=(const ConditionJudge&) = delete;

    const Condition& condition;
    const PointSpace values;
    const ElementWalk walk;
    std::vector<std::optional<Truth>> known;  // by value
  };

  absl::Status JudgeNode(size_t n) {
    const NodeDeclaration& node = blueprint_.nodes[n];
    if (node.conditions.empty()) return absl::OkStatus();
    if (shape_.inactive.size() <= n) shape_.inactive.resize(n + 1);
    const PointSpace space(blueprint_, shape_.extents, node.over);
    if (space.volume() > kMaxGraphElements) return TooManyValues(node.name);
    std::deque<ConditionJudge> judges;
    for (const Condition& condition : node.conditions) {
      const Reference& value = condition.value;
      judges.emplace_back(condition,
                          PointSpace(blueprint_, shape_.extents,
                                     blueprint_.DimensionsOf(value)),
                          node.over);
      if (judges.back().values.volume() > kMaxGraphElements) {
        return TooManyValues(value.is_input
                                 ? blueprint_.inputs[value.target].name
                                 : blueprint_.outputs[value.target].name);
      }
    }
    std::vector<uint32_t> point;
    for (uint32_t job = 0; job < space.volume(); ++job) {
      space.FillPoint(job, &point);
      Truth all = Truth::kYes;
      for (ConditionJudge& judge : judges) {
        KINORA_ASSIGN_OR_RETURN(const Truth holds, Holds(point, &judge));
        if (holds != Truth::kYes) all = holds;
        if (holds == Truth::kNo) break;
      }
      if (all == Truth::kNo) {
        shape_.inactive[n].resize(space.volume(), false);
        shape_.inactive[n][job] = true;
      } else if (all == Truth::kUnknown) {
        if (shape_.undecided.size() <= n) shape_.undecided.resize(n + 1);
        shape_.undecided[n].resize(space.volume(), false);
        shape_.undecided[n][job] = true;
      }
    }
    return absl::OkStatus();
  }

  // Whether a condition holds for the job at `point`; not for what is outside.
  absl::StatusOr<Truth> Holds(const std::vector<uint32_t>& point,
                              ConditionJudge* judge) {
    const Reference& reference = judge->condition.value;
    if (judge->walk.MeetsUnknown(point)) return Truth::kUnknown;
    found_.clear();
    judge->walk.Append(0, point, &found_);
    if (found_.empty()) return Truth::kNo;
    std::optional<Truth>& known = judge->known[found_[0]];
    if (known.has_value()) return *known;
    SetIndices(judge->values.dimensions(), judge->values.Point(found_[0]));
    if (reference.is_input) {
      const InputDeclaration& input = blueprint_.inputs[reference.target];
      const std::string id =
          ElementIdAt(blueprint_, reference, index_of_dimension_);
      KINORA_ASSIGN_OR_RETURN(const bool holds,
                              InputHolds(judge->condition, input, id,
                                         EffectiveValue(input, id, set_)));
      known = TruthOf(holds);
      return *known;
    }
    std::string id;
    const DecidingValue* value = nullptr;
    known = Look(reference.target, &id, &value);
    if (known == Truth::kYes) {
      KINORA_ASSIGN_OR_RETURN(const bool holds,
                              ArtefactHolds(judge->condition, id, *value));
      known = TruthOf(holds);
    }
    return *known;
  }

  const Blueprint& blueprint_;
  const InputMap& set_;
  const DecidingValues* const values_;
  GraphShape shape_;
  std::vector<uint32_t> index_of_dimension_;  // where the builder looks
  std::vector<uint32_t> found_;
};

}  // namespace

absl::StatusOr<uint32_t> SizeFromValue(const InputDeclaration& input,
                                       absl::string_view id,
                                       const v1::Content& content) {
  absl::StatusOr<JsonValue> json = ParseJson(content.inline_().data());
  std::optional<int64_t> size =
      json.ok() ? json->integer_value() : std::nullopt;
  if (!size.has_value() || *size < 0 || *size > kMaxDimensionSize) {
    return InputMissing(
        input, id,
        absl::StrCat("is the size of a dimension, an integer from 0 to ",
                     kMaxDimensionSize, ", but its value is \"", Show(content),
                     "\""));
  }
  return static_cast<uint32_t>(*size);
}

std::string ElementIdAt(const Blueprint& blueprint, const Reference& element,
                        const std::vector<uint32_t>& index_of_dimension) {
  std::string id =
      element.is_input
          ? absl::StrCat("Input:", blueprint.inputs[element.target].name)
          : absl::StrCat("Artifact:", blueprint.outputs[element.target].name);
  for (int dimension : blueprint.DimensionsOf(element)) {
    absl::StrAppend(&id, "[", blueprint.dimensions[dimension].name, "=",
                    index_of_dimension[dimension], "]");
  }
  return id;
}

absl::Status TooManyValues(absl::string_view name) {
  return WithReason(
      absl::FailedPreconditionError(
          absl::StrCat("the blueprint expands to more than ", kMaxGraphElements,
                       " elements at the sizes of the "
                       "dimensions of ",
                       name)),
      "BLUEPRINT_INVALID");
}

absl::StatusOr<std::vector<DimensionExtent>> DimensionExtents(
    const Blueprint& blueprint, const InputMap& set) {
  KINORA_ASSIGN_OR_RETURN(GraphShape shape,
                          ShapeBuilder(blueprint, set, nullptr).Build());
  return std::move(shape.extents);
}

absl::StatusOr<GraphShape> ShapeOf(const Blueprint& blueprint,
                                   const InputMap& set,
                                   const DecidingValues& values) {
  return ShapeBuilder(blueprint, set, &values).Build();
}

}  // namespace kinora

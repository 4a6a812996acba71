#include "services/planner/plan/input_values.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/element_id.h"
#include "common/error_reason.h"
#include "common/json.h"
#include "common/status.h"
#include "services/planner/blueprint/suggest.h"
#include "services/planner/graph/element_walk.h"
#include "services/planner/plan/takes.h"

namespace kinora {
namespace {

// Enough of a value to recognise it in an error.
std::string Show(const v1::Content& content) {
  if (content.has_blob()) {
    return absl::StrCat("blob ", content.blob().digest().hash());
  }
  return content.inline_().data();
}

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
                     kMaxDimensionSize, ", but its value is \"",
                     ClipValue(Show(content)), "\""));
  }
  return static_cast<uint32_t>(*size);
}

absl::Status BadEdit(absl::string_view id, const v1::Content& content,
                     absl::string_view why) {
  return InvalidField(id, Show(content), why);
}

// As BadEdit() for a `why` that tells itself what it got.
absl::Status BadValue(absl::string_view id, const v1::Content& content,
                      absl::string_view why) {
  if (!absl::StrContains(why, ", got ")) return BadEdit(id, content, why);
  absl::Status status = absl::InvalidArgumentError(absl::StrCat(id, ": ", why));
  status.SetPayload(kFieldPayload, absl::Cord(id));
  status.SetPayload(kValuePayload, absl::Cord(ClipValue(Show(content))));
  return status;
}

// Reads the id and finds its declaration; that of a take input is put into
// `takes`.
absl::StatusOr<const InputDeclaration*> FindDeclaration(
    const Blueprint& blueprint, const v1::PendingEdit& edit, ElementId* id,
    std::deque<InputDeclaration>* takes) {
  absl::StatusOr<ElementId> parsed =
      ElementId::Parse(edit.input_id(), ElementId::Kind::kInput);
  if (!parsed.ok()) {
    return BadEdit("input_id", edit.content(), parsed.status().message());
  }
  *id = *std::move(parsed);
  std::string text = id->ToString();
  if (id->kind != ElementId::Kind::kInput) {
    return BadEdit(text, edit.content(), "only inputs can be set");
  }
  if (text == kBlueprintInputId) {
    return BadEdit(text, edit.content(),
                   "the blueprint is pinned with SetBlueprint, not set");
  }
  int found = blueprint.FindInput(id->name);
  if (found >= 0) return &blueprint.inputs[found];
  if (const std::optional<ElementId> job = JobOfTake(*id)) {
    const int node = blueprint.FindNode(job->name);
    if (node >= 0) {
      takes->push_back(TakeDeclaration(blueprint.nodes[node]));
      return &takes->back();
    }
    std::vector<absl::string_view> nodes;
    for (const NodeDeclaration& known : blueprint.nodes) {
      nodes.push_back(known.name);
    }
    return BadEdit(
        text, edit.content(),
        absl::StrCat("it would choose a take of node ", job->name,
                     ", which blueprint ", blueprint.name, " does not have",
                     DidYouMean(job->name, nodes)));
  }
  std::vector<absl::string_view> names;
  for (const InputDeclaration& input : blueprint.inputs) {
    names.push_back(input.name);
  }
  return BadEdit(
      text, edit.content(),
      absl::StrCat("blueprint ", blueprint.name, " has no such input",
                   DidYouMean(id->name, names)));
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

// The spelling of an input's ids, such as `Input:Prompt[segment=N]`.
std::string Spelling(const Blueprint& blueprint,
                     const InputDeclaration& input) {
  std::string text = absl::StrCat("Input:", input.name);
  for (int dimension : input.over) {
    absl::StrAppend(&text, "[", blueprint.dimensions[dimension].name, "=N]");
  }
  return text;
}

absl::Status CheckShape(const Blueprint& blueprint,
                        const InputDeclaration& input, const ElementId& id,
                        const v1::PendingEdit& edit) {
  bool fits = input.over.size() == id.indices.size();
  for (size_t i = 0; fits && i < id.indices.size(); ++i) {
    fits = id.indices[i].dimension == blueprint.dimensions[input.over[i]].name;
  }
  if (fits) return absl::OkStatus();
  return BadEdit(id.ToString(), edit.content(),
                 absl::StrCat("its ids are ", Spelling(blueprint, input)));
}

absl::Status CheckIndices(const Blueprint& blueprint,
                          const InputDeclaration& input, const ElementId& id,
                          const std::vector<DimensionExtent>& extents,
                          const v1::PendingEdit& edit) {
  PointSpace space(blueprint, extents, input.over);
  if (space.volume() > kMaxGraphElements) return TooManyValues(input.name);
  uint32_t prefix = 0;
  for (size_t i = 0; i < id.indices.size(); ++i) {
    uint32_t size = space.SizeAt(i, prefix);
    if (id.indices[i].index < size) {
      prefix = space.Child(i, prefix, id.indices[i].index);
      continue;
    }
    return BadEdit(
        id.ToString(), edit.content(),
        absl::StrCat("dimension ", blueprint.dimensions[input.over[i]].name,
                     " has size ", size, space.IsUniform(i) ? "" : " there",
                     size == 0
                         ? ""
                         : absl::StrCat(", so its last index is ", size - 1)));
  }
  return absl::OkStatus();
}

// The id of one of an input's values; `index_of_dimension` has the index in
// each dimension of the input.
std::string IdOf(const Blueprint& blueprint, const InputDeclaration& input,
                 const std::vector<uint32_t>& index_of_dimension) {
  std::string id = absl::StrCat("Input:", input.name);
  for (int over : input.over) {
    absl::StrAppend(&id, "[", blueprint.dimensions[over].name, "=",
                    index_of_dimension[over], "]");
  }
  return id;
}

absl::StatusOr<uint32_t> SizeOf(const DimensionDeclaration& dimension,
                                const InputDeclaration& input,
                                const std::string& id, const InputMap& set) {
  const v1::Content* value = EffectiveValue(input, id, set);
  if (value != nullptr) return SizeFromValue(input, id, *value);
  return InputMissing(
      input, id,
      absl::StrCat("has neither a value nor a default, and is the size of "
                   "dimension ",
                   dimension.name));
}

// A size for each point of the dimensions it is nested in.
absl::StatusOr<DimensionExtent> RaggedExtent(
    const Blueprint& blueprint, const DimensionDeclaration& dimension,
    const std::vector<DimensionExtent>& extents, const InputMap& set) {
  const InputDeclaration& input = blueprint.inputs[dimension.size_input];
  PointSpace above(blueprint, extents, dimension.ancestors);
  if (above.volume() > kMaxGraphElements) return TooManyValues(dimension.name);
  DimensionExtent extent;
  extent.is_ragged = true;
  std::vector<uint32_t> index_of_dimension(blueprint.dimensions.size());
  std::vector<uint32_t> point;
  for (uint32_t number = 0; number < above.volume(); ++number) {
    above.FillPoint(number, &point);
    for (size_t i = 0; i < point.size(); ++i) {
      index_of_dimension[dimension.ancestors[i]] = point[i];
    }
    KINORA_ASSIGN_OR_RETURN(
        uint32_t size, SizeOf(dimension, input,
                              IdOf(blueprint, input, index_of_dimension), set));
    extent.sizes.push_back(size);
  }
  return extent;
}

absl::StatusOr<bool> ValueHolds(const Condition& condition,
                                const InputDeclaration& input,
                                const std::string& id, const InputMap& set) {
  const v1::Content* value = EffectiveValue(input, id, set);
  if (value == nullptr) {
    return InputMissing(input, id,
                        "has neither a value nor a default, and decides "
                        "whether jobs are active");
  }
  if (!condition.hashes.empty()) {
    bool found = std::find(condition.hashes.begin(), condition.hashes.end(),
                           ContentHash(*value)) != condition.hashes.end();
    return found != condition.negated;
  }
  absl::StatusOr<JsonValue> json = ParseJson(value->inline_().data());
  if (!json.ok() || !json->is_number()) {
    return InputMissing(input, id,
                        absl::StrCat("must be a number, but its value is \"",
                                     ClipValue(Show(*value)), "\""));
  }
  double number = json->number_value();
  return !(condition.at_least.has_value() && number < *condition.at_least) &&
         !(condition.at_most.has_value() && number > *condition.at_most);
}

// Tells which jobs one condition holds for; looks at each value once.
class ConditionJudge {
 public:
  ConditionJudge(const Blueprint& blueprint, const NodeDeclaration& node,
                 const Condition& condition,
                 const std::vector<DimensionExtent>& extents,
                 const InputMap& set)
      : blueprint_(blueprint),
        condition_(condition),
        input_(blueprint.inputs[condition.value.target]),
        set_(set),
        values_(blueprint, extents, input_.over),
        walk_(values_, node.over, condition.value.indices),
        known_(std::min(values_.volume(), kMaxGraphElements), kUnknown) {}

  ConditionJudge(const ConditionJudge&) = delete;
  ConditionJudge& operator=(const ConditionJudge&) = delete;

  // True if it holds for the job at `point`; not for what is outside.
  absl::StatusOr<bool> Holds(const std::vector<uint32_t>& point) {
    if (values_.volume() > kMaxGraphElements) return TooManyValues(input_.name);
    found_.clear();
    walk_.Append(0, point, &found_);
    if (found_.empty()) return false;
    char& known = known_[found_[0]];
    if (known == kUnknown) {
      std::vector<uint32_t> index_of_dimension(blueprint_.dimensions.size());
      std::vector<uint32_t> at = values_.Point(found_[0]);
      for (size_t i = 0; i < at.size(); ++i) {
        index_of_dimension[input_.over[i]] = at[i];
      }
      KINORA_ASSIGN_OR_RETURN(
          bool holds,
          ValueHolds(condition_, input_,
                     IdOf(blueprint_, input_, index_of_dimension), set_));
      known = holds ? kYes : kNo;
    }
    return known == kYes;
  }

 private:
  static constexpr char kUnknown = 0;
  static constexpr char kYes = 1;
  static constexpr char kNo = 2;

  const Blueprint& blueprint_;
  const Condition& condition_;
  const InputDeclaration& input_;
  const InputMap& set_;
  const PointSpace values_;
  const ElementWalk walk_;
  std::vector<char> known_;  // by value of the input
  std::vector<uint32_t> found_;
};

// Which jobs of a node are inactive; empty if none is.
absl::StatusOr<std::vector<bool>> InactiveJobs(
    const Blueprint& blueprint, const NodeDeclaration& node,
    const std::vector<DimensionExtent>& extents, const InputMap& set) {
  std::vector<bool> inactive;
  PointSpace space(blueprint, extents, node.over);
  if (space.volume() > kMaxGraphElements) return TooManyValues(node.name);
  std::deque<ConditionJudge> judges;
  for (const Condition& condition : node.conditions) {
    judges.emplace_back(blueprint, node, condition, extents, set);
  }
  std::vector<uint32_t> point;
  for (uint32_t job = 0; job < space.volume(); ++job) {
    space.FillPoint(job, &point);
    for (ConditionJudge& judge : judges) {
      KINORA_ASSIGN_OR_RETURN(bool holds, judge.Holds(point));
      if (holds) continue;
      inactive.resize(space.volume(), false);
      inactive[job] = true;
      break;
    }
  }
  return inactive;
}

}  // namespace

const v1::Content* EffectiveValue(const InputDeclaration& input,
                                  const std::string& id, const InputMap& set) {
  auto found = set.find(id);
  if (found != set.end()) return &found->second;
  return input.default_value.has_value() ? &*input.default_value : nullptr;
}

absl::Status InputMissing(const InputDeclaration& input, absl::string_view id,
                          absl::string_view why) {
  absl::string_view value =
      input.rule.type == InputType::kFile ? "file:PATH" : "JSON";
  std::string name(id.substr(id.find(':') + 1));
  return WithReason(absl::FailedPreconditionError(absl::StrCat(
                        id, " ", why, "; set it: kinora input set MOVIE '",
                        name, "=", value, "'")),
                    "INPUT_MISSING", {{"field", id}});
}

absl::StatusOr<std::vector<DimensionExtent>> DimensionExtents(
    const Blueprint& blueprint, const InputMap& set) {
  std::vector<DimensionExtent> extents;
  for (const DimensionDeclaration& dimension : blueprint.dimensions) {
    if (dimension.size_input < 0) {
      extents.emplace_back(dimension.size);
      continue;
    }
    const InputDeclaration& input = blueprint.inputs[dimension.size_input];
    if (input.over.empty()) {
      KINORA_ASSIGN_OR_RETURN(
          uint32_t size,
          SizeOf(dimension, input, absl::StrCat("Input:", input.name), set));
      extents.emplace_back(size);
      continue;
    }
    KINORA_ASSIGN_OR_RETURN(DimensionExtent extent,
                            RaggedExtent(blueprint, dimension, extents, set));
    extents.push_back(std::move(extent));
  }
  return extents;
}

absl::StatusOr<GraphShape> ShapeOf(const Blueprint& blueprint,
                                   const InputMap& set) {
  GraphShape shape;
  KINORA_ASSIGN_OR_RETURN(shape.extents, DimensionExtents(blueprint, set));
  for (size_t n = 0; n < blueprint.nodes.size(); ++n) {
    const NodeDeclaration& node = blueprint.nodes[n];
    if (node.conditions.empty()) continue;
    shape.inactive.resize(n + 1);
    KINORA_ASSIGN_OR_RETURN(shape.inactive[n],
                            InactiveJobs(blueprint, node, shape.extents, set));
  }
  return shape;
}

absl::StatusOr<std::vector<v1::PendingEdit>> CanonicalEdits(
    const Blueprint& blueprint, const InputMap& set,
    const google::protobuf::RepeatedPtrField<v1::PendingEdit>& edits) {
  std::vector<v1::PendingEdit> canonical;
  std::vector<std::pair<ElementId, const InputDeclaration*>> indexed;
  InputMap with_edits = set;
  std::map<std::string, int> seen;
  std::deque<InputDeclaration> takes;
  for (const v1::PendingEdit& edit : edits) {
    ElementId id;
    KINORA_ASSIGN_OR_RETURN(const InputDeclaration* input,
                            FindDeclaration(blueprint, edit, &id, &takes));
    KINORA_RETURN_IF_ERROR(CheckShape(blueprint, *input, id, edit));
    std::string text = id.ToString();
    if (++seen[text] > 1) {
      return BadEdit(text, edit.content(), "it is given twice");
    }
    absl::StatusOr<v1::Content> content =
        CanonicalContent(input->rule, edit.content());
    if (!content.ok()) {
      return BadValue(text, edit.content(), content.status().message());
    }
    v1::PendingEdit& result = canonical.emplace_back();
    result.set_input_id(text);
    *result.mutable_content() = *content;
    with_edits[text] = *std::move(content);
    indexed.emplace_back(std::move(id), input);
  }
  // Sizes are only needed for indices: an input without dimensions can be set
  // while a size is still missing.
  std::optional<std::vector<DimensionExtent>> sizes;
  for (size_t i = 0; i < indexed.size(); ++i) {
    if (indexed[i].first.indices.empty()) continue;
    if (!sizes.has_value()) {
      KINORA_ASSIGN_OR_RETURN(sizes, DimensionExtents(blueprint, with_edits));
    }
    KINORA_RETURN_IF_ERROR(CheckIndices(
        blueprint, *indexed[i].second, indexed[i].first, *sizes, canonical[i]));
  }
  // A size that is out of range is the edit's fault, not the movie's.
  for (const DimensionDeclaration& dimension : blueprint.dimensions) {
    if (dimension.size_input < 0) continue;
    const InputDeclaration& input = blueprint.inputs[dimension.size_input];
    for (size_t i = 0; i < indexed.size(); ++i) {
      if (indexed[i].second != &input) continue;
      const std::string& id = canonical[i].input_id();
      if (SizeFromValue(input, id, canonical[i].content()).ok()) continue;
      return BadEdit(
          id, canonical[i].content(),
          absl::StrCat("it is the size of dimension ", dimension.name,
                       ", an integer from 0 to ", kMaxDimensionSize));
    }
  }
  return canonical;
}

}  // namespace kinora

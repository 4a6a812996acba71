#include "services/planner/plan/input_values.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/element_id.h"
#include "common/error_reason.h"
#include "common/json/json.h"
#include "common/status.h"
#include "services/planner/blueprint/suggest.h"
#include "services/planner/plan/graph_shape.h"
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
  if (!parsed.ok()) return parsed.status();  // tells the id
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
    // Whoever knows how long the list will be may say so beforehand.
    if (space.IsUnknownAt(i, prefix)) return absl::OkStatus();
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

// Edits that are checked one after another, then together.
class EditCheck {
 public:
  EditCheck(const Blueprint& blueprint, const InputMap& set)
      : blueprint_(blueprint), with_edits_(set) {}

  absl::Status Take(const v1::PendingEdit& edit) {
    ElementId id;
    KINORA_ASSIGN_OR_RETURN(const InputDeclaration* input,
                            FindDeclaration(blueprint_, edit, &id, &takes_));
    KINORA_RETURN_IF_ERROR(CheckShape(blueprint_, *input, id, edit));
    const std::string text = id.ToString();
    if (!seen_.insert(text).second) {
      return BadEdit(text, edit.content(), "it is given twice");
    }
    absl::StatusOr<v1::Content> content =
        CanonicalContent(input->rule, edit.content());
    if (!content.ok()) {
      return BadValue(text, edit.content(), content.status().message());
    }
    v1::PendingEdit& result = canonical_.emplace_back();
    result.set_input_id(text);
    *result.mutable_content() = *content;
    with_edits_[text] = *std::move(content);
    needs_sizes_ = needs_sizes_ || !id.indices.empty();
    indexed_.emplace_back(std::move(id), input);
    return absl::OkStatus();
  }

  // A size that is out of range is the edit's fault, not the movie's.
  absl::Status CheckSize(int i) const {
    const v1::PendingEdit& edit = canonical_[i];
    const InputDeclaration* input = indexed_[i].second;
    for (const DimensionDeclaration& dimension : blueprint_.dimensions) {
      if (dimension.size_input < 0 ||
          input != &blueprint_.inputs[dimension.size_input] ||
          SizeFromValue(*input, edit.input_id(), edit.content()).ok()) {
        continue;
      }
      return BadEdit(
          edit.input_id(), edit.content(),
          absl::StrCat("it is the size of dimension ", dimension.name,
                       ", an integer from 0 to ", kMaxDimensionSize));
    }
    return absl::OkStatus();
  }

  // Sizes are only needed for indices: an input without dimensions can be set
  // while a size is still missing.
  absl::Status FindSizes() {
    if (!needs_sizes_) return absl::OkStatus();
    KINORA_ASSIGN_OR_RETURN(sizes_, DimensionExtents(blueprint_, with_edits_));
    return absl::OkStatus();
  }

  // With the sizes as they are with all edits.
  absl::Status CheckIndex(int i) const {
    const auto& [id, input] = indexed_[i];
    if (id.indices.empty()) return absl::OkStatus();
    return CheckIndices(blueprint_, *input, id, sizes_, canonical_[i]);
  }

  std::vector<v1::PendingEdit> Result() && { return std::move(canonical_); }

 private:
  const Blueprint& blueprint_;
  InputMap with_edits_;
  std::set<std::string> seen_;
  std::deque<InputDeclaration> takes_;
  std::vector<v1::PendingEdit> canonical_;
  std::vector<std::pair<ElementId, const InputDeclaration*>> indexed_;
  bool needs_sizes_ = false;
  std::vector<DimensionExtent> sizes_;
};

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

absl::StatusOr<std::vector<v1::PendingEdit>> CanonicalEdits(
    const Blueprint& blueprint, const InputMap& set, absl::string_view field,
    const google::protobuf::RepeatedPtrField<v1::PendingEdit>& edits) {
  const auto named = [field](int i, const absl::Status& status) {
    return field.empty() ? status
                         : Annotate(status, absl::StrCat(field, "[", i, "]"));
  };
  EditCheck check(blueprint, set);
  for (int i = 0; i < edits.size(); ++i) {
    KINORA_RETURN_IF_ERROR(named(i, check.Take(edits[i])));
  }
  for (int i = 0; i < edits.size(); ++i) {
    KINORA_RETURN_IF_ERROR(named(i, check.CheckSize(i)));
  }
  KINORA_RETURN_IF_ERROR(check.FindSizes());
  for (int i = 0; i < edits.size(); ++i) {
    KINORA_RETURN_IF_ERROR(named(i, check.CheckIndex(i)));
  }
  return std::move(check).Result();
}

}  // namespace kinora

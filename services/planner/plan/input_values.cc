#include "services/planner/plan/input_values.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/element_id.h"
#include "common/error_reason.h"
#include "common/json.h"
#include "common/status.h"
#include "services/planner/blueprint/suggest.h"

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
                                       const v1::Content& content) {
  std::string id = absl::StrCat("Input:", input.name);
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

// Reads the id and finds its declaration.
absl::StatusOr<const InputDeclaration*> FindDeclaration(
    const Blueprint& blueprint, const v1::PendingEdit& edit, ElementId* id) {
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
                          const std::vector<uint32_t>& sizes,
                          const v1::PendingEdit& edit) {
  for (size_t i = 0; i < id.indices.size(); ++i) {
    uint32_t size = sizes[input.over[i]];
    if (id.indices[i].index < size) continue;
    return BadEdit(
        id.ToString(), edit.content(),
        absl::StrCat("dimension ", blueprint.dimensions[input.over[i]].name,
                     " has size ", size,
                     size == 0
                         ? ""
                         : absl::StrCat(", so its last index is ", size - 1)));
  }
  return absl::OkStatus();
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

absl::StatusOr<std::vector<uint32_t>> DimensionSizes(const Blueprint& blueprint,
                                                     const InputMap& set) {
  std::vector<uint32_t> sizes;
  for (const DimensionDeclaration& dimension : blueprint.dimensions) {
    if (dimension.size_input < 0) {
      sizes.push_back(dimension.size);
      continue;
    }
    const InputDeclaration& input = blueprint.inputs[dimension.size_input];
    std::string id = absl::StrCat("Input:", input.name);
    const v1::Content* value = EffectiveValue(input, id, set);
    if (value == nullptr) {
      return InputMissing(input, id,
                          absl::StrCat("has neither a value nor a default, and "
                                       "is the size of dimension ",
                                       dimension.name));
    }
    KINORA_ASSIGN_OR_RETURN(uint32_t size, SizeFromValue(input, *value));
    sizes.push_back(size);
  }
  return sizes;
}

absl::StatusOr<std::vector<v1::PendingEdit>> CanonicalEdits(
    const Blueprint& blueprint, const InputMap& set,
    absl::Span<const v1::PendingEdit* const> edits) {
  std::vector<v1::PendingEdit> canonical;
  std::vector<std::pair<ElementId, const InputDeclaration*>> indexed;
  InputMap with_edits = set;
  std::map<std::string, int> seen;
  for (const v1::PendingEdit* edit : edits) {
    ElementId id;
    KINORA_ASSIGN_OR_RETURN(const InputDeclaration* input,
                            FindDeclaration(blueprint, *edit, &id));
    KINORA_RETURN_IF_ERROR(CheckShape(blueprint, *input, id, *edit));
    std::string text = id.ToString();
    if (++seen[text] > 1) {
      return BadEdit(text, edit->content(), "it is given twice");
    }
    absl::StatusOr<v1::Content> content =
        CanonicalContent(input->rule, edit->content());
    if (!content.ok()) {
      return BadEdit(text, edit->content(), content.status().message());
    }
    v1::PendingEdit& result = canonical.emplace_back();
    result.set_input_id(text);
    *result.mutable_content() = *content;
    with_edits[text] = *std::move(content);
    indexed.emplace_back(std::move(id), input);
  }
  // Sizes are only needed for indices: an input without dimensions can be set
  // while a size is still missing.
  std::optional<std::vector<uint32_t>> sizes;
  for (size_t i = 0; i < indexed.size(); ++i) {
    if (indexed[i].first.indices.empty()) continue;
    if (!sizes.has_value()) {
      KINORA_ASSIGN_OR_RETURN(sizes, DimensionSizes(blueprint, with_edits));
    }
    KINORA_RETURN_IF_ERROR(CheckIndices(
        blueprint, *indexed[i].second, indexed[i].first, *sizes, canonical[i]));
  }
  // A size that is out of range is the edit's fault, not the movie's.
  for (const DimensionDeclaration& dimension : blueprint.dimensions) {
    if (dimension.size_input < 0) continue;
    const InputDeclaration& input = blueprint.inputs[dimension.size_input];
    std::string id = absl::StrCat("Input:", input.name);
    if (!seen.contains(id)) continue;
    absl::StatusOr<uint32_t> size = SizeFromValue(input, with_edits[id]);
    if (!size.ok()) {
      return BadEdit(
          id, with_edits[id],
          absl::StrCat("it is the size of dimension ", dimension.name,
                       ", an integer from 0 to ", kMaxDimensionSize));
    }
  }
  return canonical;
}

}  // namespace kinora

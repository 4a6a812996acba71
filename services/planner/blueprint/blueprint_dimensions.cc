// The part of the parser that reads dimensions and what is over them.

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/element_id.h"
#include "common/status.h"
#include "services/planner/blueprint/blueprint_parser.h"
#include "services/planner/blueprint/suggest.h"

namespace kinora {

absl::Status BlueprintParser::ParseDimensionNames() {
  const YamlNode* map = root_.Find("dimensions");
  if (map == nullptr) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(CheckDeclarations(*map, "dimensions"));
  for (const YamlEntry& entry : map->entries) {
    std::string path = absl::StrCat("dimensions.", entry.key);
    KINORA_RETURN_IF_ERROR(ExpectMap(*entry.value, path, {"size", "within"}));
    DimensionDeclaration dimension;
    dimension.name = entry.key;
    dimension.line = entry.line;
    if (const YamlNode* within = entry.value->Find("within")) {
      KINORA_RETURN_IF_ERROR(
          ParseWithin(*within, absl::StrCat(path, ".within"), &dimension));
    }
    dimension_ids_[entry.key] = static_cast<int>(blueprint_.dimensions.size());
    blueprint_.dimensions.push_back(std::move(dimension));
  }
  return absl::OkStatus();
}

absl::Status BlueprintParser::ParseWithin(const YamlNode& node,
                                          const std::string& path,
                                          DimensionDeclaration* dimension) {
  KINORA_ASSIGN_OR_RETURN(std::string name, Text(node, path));
  auto found = dimension_ids_.find(name);
  if (found == dimension_ids_.end()) {
    const YamlNode* all = root_.Find("dimensions");
    bool later = all->Find(name) != nullptr;
    return Error(node.line, path,
                 absl::StrCat(later ? "dimension \"" : "unknown dimension \"",
                              ClipValue(name), "\"",
                              later ? " must be declared before those within it"
                                    : DidYouMean(name, DimensionNames())));
  }
  const DimensionDeclaration& parent = blueprint_.dimensions[found->second];
  if (parent.ancestors.size() + 2 > kMaxDimensionsPerId) {
    return Error(
        node.line, path,
        absl::StrCat("nested more than ", kMaxDimensionsPerId, " levels deep"));
  }
  dimension->within = found->second;
  dimension->ancestors = parent.ancestors;
  dimension->ancestors.push_back(found->second);
  return absl::OkStatus();
}

absl::Status BlueprintParser::ParseDimensionSizes() {
  const YamlNode* map = root_.Find("dimensions");
  if (map == nullptr) return absl::OkStatus();
  for (size_t i = 0; i < map->entries.size(); ++i) {
    const YamlEntry& entry = map->entries[i];
    std::string path = absl::StrCat("dimensions.", entry.key);
    const YamlNode* size = entry.value->Find("size");
    if (size == nullptr) {
      return Error(entry.line, path,
                   "size is missing; it is Input:NAME, the name of an artefact "
                   "that is a list, or a positive integer");
    }
    KINORA_RETURN_IF_ERROR(ParseSize(*size, absl::StrCat(path, ".size"),
                                     &blueprint_.dimensions[i]));
  }
  return absl::OkStatus();
}

absl::Status BlueprintParser::ParseSize(const YamlNode& node,
                                        const std::string& path,
                                        DimensionDeclaration* dimension) {
  reading_ = &node;
  KINORA_RETURN_IF_ERROR(ResolveSize(node, path, dimension));
  reading_ = nullptr;
  return absl::OkStatus();
}

absl::Status BlueprintParser::ResolveSize(const YamlNode& node,
                                          const std::string& path,
                                          DimensionDeclaration* dimension) {
  KINORA_ASSIGN_OR_RETURN(std::string text, Text(node, path));
  absl::StatusOr<JsonValue> value = ToJson(node);
  std::optional<int64_t> size =
      value.ok() ? value->integer_value() : std::nullopt;
  if (size.has_value() && *size >= 1 && *size <= kMaxDimensionSize) {
    dimension->size = static_cast<uint32_t>(*size);
    return absl::OkStatus();
  }
  const absl::StatusOr<SpelledReference> reference = ParseReference(text);
  if (reference.ok()) {
    return reference->is_input
               ? ParseSizeInput(node, *reference, path, dimension)
               : ParseSizeOutput(node, *reference, path, dimension);
  }
  if (absl::StartsWith(text, "Input:") || absl::StartsWith(text, "Artifact:")) {
    return Error(node.line, path, reference.status().message());
  }
  return Error(
      node.line, path,
      absl::StrCat("must be Input:NAME, the name of an artefact that "
                   "is a list, or an integer from 1 to ",
                   kMaxDimensionSize, ", got \"", ClipValue(text), "\""));
}

absl::Status BlueprintParser::ParseSizeInput(const YamlNode& node,
                                             const SpelledReference& reference,
                                             const std::string& path,
                                             DimensionDeclaration* dimension) {
  auto found = input_ids_.find(reference.name);
  if (found == input_ids_.end()) {
    return Error(node.line, path,
                 absl::StrCat("unknown input \"", ClipValue(reference.name),
                              "\"", DidYouMean(reference.name, InputNames())));
  }
  const InputDeclaration& input = blueprint_.inputs[found->second];
  if (input.rule.type != InputType::kInteger) {
    return Error(node.line, path,
                 absl::StrCat("a size is an integer, but Input:", input.name,
                              " is of type ", InputTypeName(input.rule.type)));
  }
  KINORA_RETURN_IF_ERROR(
      CheckSizeIndices(node, reference, path, input.over, *dimension));
  dimension->size_input = found->second;
  return absl::OkStatus();
}

absl::Status BlueprintParser::ParseSizeOutput(const YamlNode& node,
                                              const SpelledReference& reference,
                                              const std::string& path,
                                              DimensionDeclaration* dimension) {
  const std::string& name = reference.name;
  auto found = output_ids_.find(name);
  if (found == output_ids_.end()) {
    return Error(
        node.line, path,
        absl::StrCat("unknown artefact \"", ClipValue(name), "\"",
                     input_ids_.contains(name)
                         ? absl::StrCat("; did you mean \"Input:", name, "\"?")
                         : DidYouMean(name, OutputNames())));
  }
  OutputDeclaration& output = blueprint_.outputs[found->second];
  if (output.mime_type != "application/json") {
    return Error(node.line, path,
                 absl::StrCat("a size is the length of a JSON list, but \"",
                              name, "\" is ", output.mime_type));
  }
  KINORA_RETURN_IF_ERROR(
      CheckSizeIndices(node, reference, path, output.dimensions, *dimension));
  dimension->size_output = found->second;
  output.sizes_dimension = true;
  return absl::OkStatus();
}

// A size has no other dimensions than those that its dimension is nested in.
absl::Status BlueprintParser::CheckSizeIndices(
    const YamlNode& node, const SpelledReference& reference,
    const std::string& path, const std::vector<int>& over,
    const DimensionDeclaration& dimension) const {
  std::vector<int> spelled;
  for (const SpelledIndex& index : reference.indices) {
    auto named = dimension_ids_.find(index.dimension);
    spelled.push_back(index.is_constant || index.offset != 0 ||
                              named == dimension_ids_.end()
                          ? -1
                          : named->second);
  }
  const std::string name =
      absl::StrCat(reference.is_input ? "Input:" : "", reference.name);
  if (spelled != over) {
    return Error(node.line, path,
                 absl::StrCat("write \"", name, Spell(over), "\", the ",
                              reference.is_input ? "input" : "artefact",
                              " with its dimensions"));
  }
  for (int outer : over) {
    if (std::count(dimension.ancestors.begin(), dimension.ancestors.end(),
                   outer) != 0) {
      continue;
    }
    if (blueprint_.dimensions[outer].name == dimension.name) {
      return Error(node.line, path,
                   absl::StrCat("\"", name, "\" is over ", dimension.name,
                                " itself, so it cannot be its size"));
    }
    const std::string& parent = blueprint_.dimensions[outer].name;
    return Error(
        node.line, path,
        absl::StrCat(name, " has a value for each ", parent, ", but dimension ",
                     dimension.name, " is not nested in ", parent,
                     ": add within: ", parent));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<int>> BlueprintParser::ParseOver(
    const YamlNode& map, const std::string& path) const {
  std::vector<int> over;
  const YamlNode* list = map.Find("over");
  if (list == nullptr) return over;
  std::string here = absl::StrCat(path, ".over");
  if (list->kind != YamlNode::Kind::kList) {
    return Error(list->line, here,
                 absl::StrCat("must be a list of dimensions, such as "
                              "[segment], got ",
                              YamlKindName(list->kind)));
  }
  for (const YamlNode* item : list->items) {
    KINORA_ASSIGN_OR_RETURN(std::string name, Text(*item, here));
    auto found = dimension_ids_.find(name);
    if (found == dimension_ids_.end()) {
      return Error(item->line, here,
                   absl::StrCat("unknown dimension \"", ClipValue(name), "\"",
                                DidYouMean(name, DimensionNames())));
    }
    if (!over.empty() && over.back() >= found->second) {
      return Error(item->line, here,
                   absl::StrCat("\"", name,
                                "\" stands out of order or twice; dimensions "
                                "stand as `dimensions` declares them"));
    }
    over.push_back(found->second);
  }
  return over;
}

absl::Status BlueprintParser::CheckNesting(
    int line, absl::string_view path,
    const std::vector<int>& dimensions) const {
  for (int dimension : dimensions) {
    int within = blueprint_.dimensions[dimension].within;
    if (within < 0 ||
        std::count(dimensions.begin(), dimensions.end(), within) != 0) {
      continue;
    }
    const std::string& parent = blueprint_.dimensions[within].name;
    return Error(line, path,
                 absl::StrCat("is over ", blueprint_.dimensions[dimension].name,
                              ", which is nested in ", parent,
                              ", so it must be over ", parent, ", too"));
  }
  return absl::OkStatus();
}

}  // namespace kinora

// The part of the parser that reads inputs.

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/planner/blueprint/blueprint_parser.h"
#include "services/planner/blueprint/suggest.h"

namespace kinora {

absl::Status BlueprintParser::ParseInputs() {
  const YamlNode* map = root_.Find("inputs");
  if (map == nullptr) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(CheckDeclarations(*map, "inputs"));
  for (const YamlEntry& entry : map->entries) {
    KINORA_RETURN_IF_ERROR(ParseInput(entry));
  }
  return absl::OkStatus();
}

absl::Status BlueprintParser::ParseInput(const YamlEntry& entry) {
  std::string path = absl::StrCat("inputs.", entry.key);
  if (entry.key == "Blueprint") {
    return Error(entry.line, path,
                 "Input:Blueprint is the blueprint itself; take another name");
  }
  if (absl::StartsWith(entry.key, kTakePrefix)) {
    return Error(entry.line, path,
                 absl::StrCat("inputs that begin with \"", kTakePrefix,
                              "\" choose takes; take another name"));
  }
  const YamlNode& map = *entry.value;
  KINORA_RETURN_IF_ERROR(ExpectMap(
      map, path,
      {"type", "description", "default", "minimum", "maximum", "over"}));
  InputDeclaration input;
  input.name = entry.key;
  input.line = entry.line;
  const YamlNode* type = map.Find("type");
  if (type == nullptr) {
    return Error(entry.line, path,
                 "type is missing; it is text, integer, number, boolean, json "
                 "or file");
  }
  KINORA_ASSIGN_OR_RETURN(std::string type_name,
                          Text(*type, absl::StrCat(path, ".type")));
  std::optional<InputType> parsed = ParseInputType(type_name);
  if (!parsed.has_value()) {
    return Error(
        type->line, absl::StrCat(path, ".type"),
        absl::StrCat("unknown type \"", ClipValue(type_name),
                     "\"; it is text, integer, number, boolean, json or file",
                     DidYouMean(type_name, {"text", "integer", "number",
                                            "boolean", "json", "file"})));
  }
  input.rule.type = *parsed;
  if (const YamlNode* text = map.Find("description")) {
    KINORA_ASSIGN_OR_RETURN(input.description,
                            Text(*text, absl::StrCat(path, ".description")));
  }
  KINORA_RETURN_IF_ERROR(ParseBounds(map, path, &input.rule));
  KINORA_RETURN_IF_ERROR(ParseDefault(map, path, &input));
  KINORA_ASSIGN_OR_RETURN(input.over, ParseOver(map, path));
  KINORA_RETURN_IF_ERROR(CheckNesting(entry.line, path, input.over));
  KINORA_RETURN_IF_ERROR(
      CheckIdLength(entry.line, path, input.name, input.over));
  input_ids_[input.name] = static_cast<int>(blueprint_.inputs.size());
  blueprint_.inputs.push_back(std::move(input));
  return absl::OkStatus();
}

absl::StatusOr<InputRule> BlueprintParser::RuleOfInput(const YamlEntry& entry) {
  KINORA_RETURN_IF_ERROR(ParseInput(entry));
  return blueprint_.inputs.back().rule;
}

absl::Status BlueprintParser::ParseBounds(const YamlNode& map,
                                          const std::string& path,
                                          InputRule* rule) {
  for (absl::string_view key : {"minimum", "maximum"}) {
    const YamlNode* node = map.Find(key);
    if (node == nullptr) continue;
    std::string here = absl::StrCat(path, ".", key);
    if (rule->type != InputType::kInteger && rule->type != InputType::kNumber) {
      return Error(node->line, here,
                   absl::StrCat("an input of type ", InputTypeName(rule->type),
                                " has no bounds"));
    }
    absl::StatusOr<JsonValue> value = ToJson(*node);
    if (!value.ok()) return Error(node->line, here, value.status().message());
    if (!value->is_number()) {
      return Error(node->line, here,
                   absl::StrCat("must be a number, got \"",
                                ClipValue(node->scalar), "\""));
    }
    (key == "minimum" ? rule->minimum : rule->maximum) = value->number_value();
  }
  if (rule->minimum.has_value() && rule->maximum.has_value() &&
      *rule->minimum > *rule->maximum) {
    return Error(
        map.line, path,
        absl::StrCat("minimum ", ClipValue(map.Find("minimum")->scalar),
                     " is greater than maximum ",
                     ClipValue(map.Find("maximum")->scalar)));
  }
  return absl::OkStatus();
}

absl::Status BlueprintParser::ParseDefault(const YamlNode& map,
                                           const std::string& path,
                                           InputDeclaration* input) {
  const YamlNode* node = map.Find("default");
  if (node == nullptr) return absl::OkStatus();
  std::string here = absl::StrCat(path, ".default");
  if (input->rule.type == InputType::kFile) {
    return Error(node->line, here, "an input of type file has no default");
  }
  absl::StatusOr<JsonValue> value = ToJson(*node);
  if (!value.ok()) return Error(node->line, here, value.status().message());
  absl::StatusOr<v1::Content> content = ContentFromJson(input->rule, *value);
  if (!content.ok()) {
    return Error(node->line, here, content.status().message());
  }
  if (content->inline_().data().size() > kMaxDefaultBytes) {
    return Error(node->line, here,
                 absl::StrCat("has more than ", kMaxDefaultBytes,
                              " bytes; set the input instead"));
  }
  input->default_value = *std::move(content);
  return absl::OkStatus();
}

}  // namespace kinora

// The part of the parser that reads when nodes are active.

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/content.h"
#include "common/digest.h"
#include "common/json/canonical_json.h"
#include "common/status.h"
#include "services/planner/blueprint/blueprint_parser.h"

namespace kinora {
namespace {

constexpr size_t kMaxConditions = 20;
constexpr size_t kMaxChoices = 200;

}  // namespace

absl::Status BlueprintParser::ParseConditions() {
  const YamlNode& nodes = *root_.Find("nodes");
  for (size_t i = 0; i < nodes.entries.size(); ++i) {
    const YamlNode* when = nodes.entries[i].value->Find("when");
    if (when == nullptr) continue;
    NodeDeclaration& node = blueprint_.nodes[i];
    std::string path = absl::StrCat("nodes.", node.name, ".when");
    if (when->kind != YamlNode::Kind::kList) {
      KINORA_RETURN_IF_ERROR(ParseCondition(*when, path, &node));
      continue;
    }
    if (when->items.empty() || when->items.size() > kMaxConditions) {
      return Error(when->line, path,
                   absl::StrCat("must have 1 to ", kMaxConditions,
                                " conditions, got ", when->items.size()));
    }
    for (const YamlNode* item : when->items) {
      KINORA_RETURN_IF_ERROR(ParseCondition(*item, path, &node));
    }
  }
  return absl::OkStatus();
}

absl::Status BlueprintParser::ParseCondition(const YamlNode& value,
                                             const std::string& path,
                                             NodeDeclaration* node) {
  Condition condition;
  condition.line = value.line;
  const YamlNode* reference = &value;
  if (value.kind == YamlNode::Kind::kMap) {
    KINORA_RETURN_IF_ERROR(ExpectMap(
        value, path, {"value", "is", "is_not", "in", "at_least", "at_most"}));
    reference = value.Find("value");
    if (reference == nullptr) {
      return Error(value.line, path, "value is missing, such as Input:NAME");
    }
  }
  KINORA_ASSIGN_OR_RETURN(condition.value,
                          ParseReferenceAt(*reference, path, *node, false));
  const Reference& target = condition.value;
  if (value.kind != YamlNode::Kind::kMap) {
    if (target.is_input &&
        blueprint_.inputs[target.target].rule.type != InputType::kBoolean) {
      const InputDeclaration& input = blueprint_.inputs[target.target];
      return Error(
          value.line, path,
          absl::StrCat("Input:", input.name, " is of type ",
                       InputTypeName(input.rule.type),
                       ", not boolean: compare it, as in {value: \"Input:",
                       input.name, Spell(input.over), "\", is: ...}"));
    }
    if (!target.is_input &&
        blueprint_.outputs[target.target].mime_type != "application/json") {
      const OutputDeclaration& output = blueprint_.outputs[target.target];
      return Error(
          value.line, path,
          absl::StrCat("\"", output.name, "\" is ", output.mime_type,
                       ", not JSON: compare it, as in {value: \"", output.name,
                       Spell(output.dimensions), "\", is: ...}"));
    }
    condition.hashes.push_back(
        ContentHash(InlineContent("application/json", "true")));
  } else {
    if (value.entries.size() != 2) {
      return Error(value.line, path,
                   "takes one comparison beside value: is, is_not, in, "
                   "at_least or at_most");
    }
    for (const YamlEntry& entry : value.entries) {
      if (entry.key == "value") continue;
      KINORA_RETURN_IF_ERROR(ParseComparison(
          entry, absl::StrCat(path, ".", entry.key), &condition));
    }
  }
  if (!target.is_input && condition.hashes.empty()) {
    blueprint_.outputs[target.target].is_ordered = true;
  }
  node->conditions.push_back(std::move(condition));
  return absl::OkStatus();
}

absl::Status BlueprintParser::CheckComparable(int line, const std::string& path,
                                              absl::string_view comparison,
                                              const Reference& value) const {
  const bool in_order = comparison == "at_least" || comparison == "at_most";
  if (!value.is_input) {
    const OutputDeclaration& output = blueprint_.outputs[value.target];
    const bool is_json = output.mime_type == "application/json";
    if (is_json || (!in_order && absl::StartsWith(output.mime_type, "text/"))) {
      return absl::OkStatus();
    }
    return Error(line, path,
                 absl::StrCat("\"", output.name, "\" is ", output.mime_type,
                              in_order ? ", which has no order"
                                       : ", which cannot be compared"));
  }
  const InputDeclaration& input = blueprint_.inputs[value.target];
  if (input.rule.type == InputType::kFile) {
    return Error(line, path,
                 absl::StrCat("Input:", input.name,
                              " is a file, which cannot be compared"));
  }
  if (in_order && input.rule.type != InputType::kInteger &&
      input.rule.type != InputType::kNumber) {
    return Error(
        line, path,
        absl::StrCat("Input:", input.name, " is of type ",
                     InputTypeName(input.rule.type), ", which has no order"));
  }
  return absl::OkStatus();
}

absl::Status BlueprintParser::ParseComparison(const YamlEntry& entry,
                                              const std::string& path,
                                              Condition* condition) {
  KINORA_RETURN_IF_ERROR(
      CheckComparable(entry.line, path, entry.key, condition->value));
  if (entry.key == "at_least" || entry.key == "at_most") {
    KINORA_ASSIGN_OR_RETURN(double bound, Number(*entry.value, path));
    (entry.key == "at_least" ? condition->at_least : condition->at_most) =
        bound;
    return absl::OkStatus();
  }
  std::vector<const YamlNode*> choices = {entry.value};
  if (entry.key == "in") {
    if (entry.value->kind != YamlNode::Kind::kList ||
        entry.value->items.empty() || entry.value->items.size() > kMaxChoices) {
      return Error(
          entry.line, path,
          absl::StrCat("must be a list of 1 to ", kMaxChoices, " values"));
    }
    choices = entry.value->items;
  }
  condition->negated = entry.key == "is_not";
  for (const YamlNode* choice : choices) {
    KINORA_ASSIGN_OR_RETURN(std::string hash,
                            HashOfChoice(*choice, path, condition->value));
    condition->hashes.push_back(std::move(hash));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> BlueprintParser::HashOfChoice(
    const YamlNode& choice, const std::string& path,
    const Reference& value) const {
  absl::StatusOr<JsonValue> json = ToJson(choice);
  if (!json.ok()) return Error(choice.line, path, json.status().message());
  if (value.is_input) {
    const InputDeclaration& input = blueprint_.inputs[value.target];
    InputRule rule;
    rule.type = input.rule.type;
    absl::StatusOr<v1::Content> content = ContentFromJson(rule, *json);
    if (content.ok()) return ContentHash(*content);
    return Error(
        choice.line, path,
        absl::StrCat("Input:", input.name, " ", content.status().message()));
  }
  const OutputDeclaration& output = blueprint_.outputs[value.target];
  if (output.mime_type == "application/json") {
    return Sha256Of(CanonicalJson(*json)).Hex();
  }
  // A text that looks like a number is one in YAML, but not here.
  if (choice.kind == YamlNode::Kind::kScalar) {
    return Sha256Of(absl::StripAsciiWhitespace(choice.scalar)).Hex();
  }
  return Error(choice.line, path,
               absl::StrCat("\"", output.name, "\" is ", output.mime_type,
                            ", so it is compared with a text"));
}

}  // namespace kinora

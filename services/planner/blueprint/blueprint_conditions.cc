// The part of the parser that reads when nodes are active.

#include <utility>

#include "absl/strings/str_cat.h"

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
  if (!condition.value.is_input) {
    return Error(reference->line, path,
                 absl::StrCat("\"", ClipValue(reference->scalar),
                              "\" is an artefact; a condition looks at an "
                              "input, whose value is known before the run"));
  }
  const InputDeclaration& input = blueprint_.inputs[condition.value.target];
  if (value.kind != YamlNode::Kind::kMap) {
    if (input.rule.type != InputType::kBoolean) {
      return Error(
          value.line, path,
          absl::StrCat("Input:", input.name, " is of type ",
                       InputTypeName(input.rule.type),
                       ", not boolean: compare it, as in {value: \"Input:",
                       input.name, Spell(input.over), "\", is: ...}"));
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
          entry, absl::StrCat(path, ".", entry.key), input, &condition));
    }
  }
  node->conditions.push_back(std::move(condition));
  return absl::OkStatus();
}

absl::Status BlueprintParser::ParseComparison(const YamlEntry& entry,
                                              const std::string& path,
                                              const InputDeclaration& input,
                                              Condition* condition) {
  if (input.rule.type == InputType::kFile) {
    return Error(entry.line, path,
                 absl::StrCat("Input:", input.name,
                              " is a file, which cannot be compared"));
  }
  if (entry.key == "at_least" || entry.key == "at_most") {
    if (input.rule.type != InputType::kInteger &&
        input.rule.type != InputType::kNumber) {
      return Error(
          entry.line, path,
          absl::StrCat("Input:", input.name, " is of type ",
                       InputTypeName(input.rule.type), ", which has no order"));
    }
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
  InputRule rule;
  rule.type = input.rule.type;
  for (const YamlNode* choice : choices) {
    absl::StatusOr<JsonValue> json = ToJson(*choice);
    if (!json.ok()) return Error(choice->line, path, json.status().message());
    absl::StatusOr<v1::Content> content = ContentFromJson(rule, *json);
    if (!content.ok()) {
      return Error(
          choice->line, path,
          absl::StrCat("Input:", input.name, " ", content.status().message()));
    }
    condition->hashes.push_back(ContentHash(*content));
  }
  return absl::OkStatus();
}

}  // namespace kinora

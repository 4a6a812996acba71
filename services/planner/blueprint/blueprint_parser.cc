#include "services/planner/blueprint/blueprint_parser.h"

#include <algorithm>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

#include "common/canonical_json.h"
#include "common/element_id.h"
#include "common/ids.h"
#include "common/status.h"
#include "services/planner/blueprint/suggest.h"

namespace kinora {
namespace {

constexpr size_t kMaxMimeBytes = 127;
constexpr size_t kMaxProducerBytes = 128;

// `type/subtype`, without parameters.
bool IsMimeType(absl::string_view text) {
  size_t slash = text.find('/');
  if (slash == absl::string_view::npos || slash == 0 ||
      slash + 1 == text.size() || text.size() > kMaxMimeBytes) {
    return false;
  }
  for (size_t i = 0; i < text.size(); ++i) {
    if (i == slash) continue;
    if (!absl::ascii_isalnum(text[i]) &&
        !absl::StrContains("!#$&^_.+-", text.substr(i, 1))) {
      return false;
    }
  }
  return true;
}

// Producers are named by whoever configures the runner, so more is allowed
// than in names that ids are made of.
bool IsProducerName(absl::string_view text) {
  if (text.empty() || text.size() > kMaxProducerBytes) return false;
  for (char c : text) {
    if (!absl::ascii_isalnum(c) && c != '_' && c != '-' && c != '.') {
      return false;
    }
  }
  return absl::ascii_isalnum(text[0]);
}

}  // namespace

int Blueprint::FindInput(absl::string_view name) const {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

int Blueprint::FindOutput(absl::string_view name) const {
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

absl::StatusOr<Blueprint> ParseBlueprint(absl::string_view file,
                                         absl::string_view text) {
  if (text.size() > kMaxBlueprintBytes) {
    return BlueprintError(
        file, 1,
        absl::StrCat("the blueprint has ", text.size(), " bytes, more than ",
                     kMaxBlueprintBytes));
  }
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<YamlTree> tree,
                          YamlTree::Parse(file, text));
  return BlueprintParser(file, tree->root()).Parse();
}

absl::StatusOr<Blueprint> BlueprintParser::Parse() {
  KINORA_RETURN_IF_ERROR(ExpectMap(
      root_, "", {"blueprint", "inputs", "dimensions", "nodes", "outputs"}));
  const YamlNode* name = root_.Find("blueprint");
  if (name == nullptr) {
    return Error(root_.line, "blueprint", "is missing; it names the blueprint");
  }
  KINORA_ASSIGN_OR_RETURN(blueprint_.name, Text(*name, "blueprint"));
  if (!IsProducerName(blueprint_.name)) {
    return Error(name->line, "blueprint",
                 absl::StrCat("\"", ClipValue(blueprint_.name),
                              "\" is not a name ([A-Za-z0-9._-], at most ",
                              kMaxProducerBytes, " bytes)"));
  }
  KINORA_RETURN_IF_ERROR(ParseDimensionNames());
  KINORA_RETURN_IF_ERROR(ParseInputs());
  KINORA_RETURN_IF_ERROR(ParseDimensionSizes());
  KINORA_RETURN_IF_ERROR(ParseNodes());
  KINORA_RETURN_IF_ERROR(ParseBindings());
  KINORA_RETURN_IF_ERROR(ParseResults());
  KINORA_RETURN_IF_ERROR(OrderNodes());
  return std::move(blueprint_);
}

absl::Status BlueprintParser::ParseDimensionNames() {
  const YamlNode* map = root_.Find("dimensions");
  if (map == nullptr) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(CheckDeclarations(*map, "dimensions"));
  for (const YamlEntry& entry : map->entries) {
    dimension_ids_[entry.key] = static_cast<int>(blueprint_.dimensions.size());
    DimensionDeclaration dimension;
    dimension.name = entry.key;
    dimension.line = entry.line;
    blueprint_.dimensions.push_back(std::move(dimension));
  }
  return absl::OkStatus();
}

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
  KINORA_RETURN_IF_ERROR(
      CheckIdLength(entry.line, path, input.name, input.over));
  input_ids_[input.name] = static_cast<int>(blueprint_.inputs.size());
  blueprint_.inputs.push_back(std::move(input));
  return absl::OkStatus();
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
    if (!value.ok() || !value->is_number()) {
      return Error(node->line, here,
                   absl::StrCat("must be a number, got \"",
                                ClipValue(node->scalar), "\""));
    }
    (key == "minimum" ? rule->minimum : rule->maximum) = value->number_value();
  }
  if (rule->minimum.has_value() && rule->maximum.has_value() &&
      *rule->minimum > *rule->maximum) {
    return Error(map.line, path, "minimum is greater than maximum");
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

absl::Status BlueprintParser::ParseDimensionSizes() {
  const YamlNode* map = root_.Find("dimensions");
  if (map == nullptr) return absl::OkStatus();
  for (size_t i = 0; i < map->entries.size(); ++i) {
    const YamlEntry& entry = map->entries[i];
    std::string path = absl::StrCat("dimensions.", entry.key);
    for (absl::string_view key : {"over", "within", "parent", "of"}) {
      if (entry.value->Find(key) != nullptr) {
        return Error(entry.line, path,
                     absl::StrCat("\"", key,
                                  "\": nested dimensions are not "
                                  "supported yet"));
      }
    }
    KINORA_RETURN_IF_ERROR(ExpectMap(*entry.value, path, {"size"}));
    const YamlNode* size = entry.value->Find("size");
    if (size == nullptr) {
      return Error(entry.line, path,
                   "size is missing; it is Input:NAME or a positive integer");
    }
    KINORA_RETURN_IF_ERROR(ParseSize(*size, absl::StrCat(path, ".size"),
                                     &blueprint_.dimensions[i]));
  }
  return absl::OkStatus();
}

absl::Status BlueprintParser::ParseSize(const YamlNode& node,
                                        const std::string& path,
                                        DimensionDeclaration* dimension) {
  KINORA_ASSIGN_OR_RETURN(std::string text, Text(node, path));
  if (!absl::StartsWith(text, "Input:")) {
    absl::StatusOr<JsonValue> value = ToJson(node);
    std::optional<int64_t> size =
        value.ok() ? value->integer_value() : std::nullopt;
    if (size.has_value() && *size >= 1 && *size <= kMaxDimensionSize) {
      dimension->size = static_cast<uint32_t>(*size);
      return absl::OkStatus();
    }
    std::string hint;
    if (input_ids_.contains(text)) {
      hint = absl::StrCat("; did you mean \"Input:", text, "\"?");
    } else if (absl::StartsWith(text, "Artifact:") ||
               (!text.empty() && absl::ascii_isalpha(text[0]))) {
      hint = "; sizes by artefacts are not supported yet";
    }
    return Error(node.line, path,
                 absl::StrCat("must be Input:NAME or an integer from 1 to ",
                              kMaxDimensionSize, ", got \"", ClipValue(text),
                              "\"", hint));
  }
  absl::string_view name = absl::string_view(text).substr(6);
  auto found = input_ids_.find(name);
  if (found == input_ids_.end()) {
    return Error(node.line, path,
                 absl::StrCat("unknown input \"", ClipValue(name), "\"",
                              DidYouMean(name, InputNames())));
  }
  const InputDeclaration& input = blueprint_.inputs[found->second];
  if (input.rule.type != InputType::kInteger) {
    return Error(node.line, path,
                 absl::StrCat("a size is an integer, but Input:", name,
                              " is of type ", InputTypeName(input.rule.type)));
  }
  if (!input.over.empty()) {
    return Error(
        node.line, path,
        absl::StrCat("Input:", name, " has the dimensions ", Spell(input.over),
                     "; nested dimensions are not supported yet"));
  }
  dimension->size_input = found->second;
  return absl::OkStatus();
}

absl::Status BlueprintParser::ParseNodes() {
  const YamlNode* map = root_.Find("nodes");
  if (map == nullptr || map->kind == YamlNode::Kind::kNull ||
      (map->kind == YamlNode::Kind::kMap && map->entries.empty())) {
    return Error(map == nullptr ? root_.line : map->line, "nodes",
                 "a blueprint needs at least one node");
  }
  KINORA_RETURN_IF_ERROR(CheckDeclarations(*map, "nodes"));
  for (const YamlEntry& entry : map->entries) {
    KINORA_RETURN_IF_ERROR(ParseNode(entry));
  }
  return absl::OkStatus();
}

absl::Status BlueprintParser::ParseNode(const YamlEntry& entry) {
  std::string path = absl::StrCat("nodes.", entry.key);
  const YamlNode& map = *entry.value;
  KINORA_RETURN_IF_ERROR(ExpectMap(
      map, path, {"producer", "settings", "over", "inputs", "outputs"}));
  NodeDeclaration node;
  node.name = entry.key;
  node.line = entry.line;
  const YamlNode* producer = map.Find("producer");
  if (producer == nullptr) {
    return Error(entry.line, path, "producer is missing");
  }
  KINORA_ASSIGN_OR_RETURN(node.producer,
                          Text(*producer, absl::StrCat(path, ".producer")));
  if (!IsProducerName(node.producer)) {
    return Error(producer->line, absl::StrCat(path, ".producer"),
                 absl::StrCat("\"", ClipValue(node.producer),
                              "\" is not a producer's name ([A-Za-z0-9._-], "
                              "at most ",
                              kMaxProducerBytes, " bytes)"));
  }
  KINORA_RETURN_IF_ERROR(ParseSettings(map, path, &node));
  KINORA_ASSIGN_OR_RETURN(node.over, ParseOver(map, path));
  KINORA_RETURN_IF_ERROR(CheckIdLength(entry.line, path, node.name, node.over));
  blueprint_.nodes.push_back(std::move(node));
  const YamlNode* outputs = map.Find("outputs");
  std::string outputs_path = absl::StrCat(path, ".outputs");
  if (outputs == nullptr ||
      (outputs->kind != YamlNode::Kind::kScalar && outputs->entries.empty() &&
       outputs->items.empty())) {
    return Error(entry.line, outputs_path, "a node needs at least one output");
  }
  KINORA_RETURN_IF_ERROR(CheckDeclarations(*outputs, outputs_path));
  for (const YamlEntry& output : outputs->entries) {
    KINORA_RETURN_IF_ERROR(
        ParseOutput(output, absl::StrCat(outputs_path, ".", output.key)));
  }
  return absl::OkStatus();
}

absl::Status BlueprintParser::ParseSettings(const YamlNode& map,
                                            const std::string& path,
                                            NodeDeclaration* node) {
  const YamlNode* settings = map.Find("settings");
  if (settings != nullptr && settings->kind != YamlNode::Kind::kNull) {
    std::string here = absl::StrCat(path, ".settings");
    if (settings->kind != YamlNode::Kind::kMap) {
      return Error(
          settings->line, here,
          absl::StrCat("must be a map, got ", YamlKindName(settings->kind)));
    }
    absl::StatusOr<JsonValue> value = ToJson(*settings);
    if (!value.ok()) {
      return Error(settings->line, here, value.status().message());
    }
    node->settings_json = CanonicalJson(*value);
    if (node->settings_json.size() > kMaxBlueprintBytes) {
      return Error(settings->line, here,
                   absl::StrCat("has more than ", kMaxBlueprintBytes,
                                " bytes with its aliases written out"));
    }
  }
  node->settings_hash = Sha256Of(node->settings_json);
  return absl::OkStatus();
}

absl::Status BlueprintParser::ParseOutput(const YamlEntry& entry,
                                          const std::string& path) {
  NodeDeclaration& node = blueprint_.nodes.back();
  OutputDeclaration output;
  output.name = entry.key;
  output.line = entry.line;
  output.node = static_cast<int>(blueprint_.nodes.size()) - 1;
  const YamlNode* type = entry.value;
  if (type->kind == YamlNode::Kind::kMap) {
    KINORA_RETURN_IF_ERROR(ExpectMap(*type, path, {"type", "over"}));
    KINORA_ASSIGN_OR_RETURN(output.own_over, ParseOver(*entry.value, path));
    type = type->Find("type");
    if (type == nullptr) {
      return Error(entry.line, path, "type is missing, such as text/plain");
    }
  }
  KINORA_ASSIGN_OR_RETURN(output.mime_type, Text(*type, path));
  if (!IsMimeType(output.mime_type)) {
    return Error(type->line, path,
                 absl::StrCat("\"", ClipValue(output.mime_type),
                              "\" is not a media type such as audio/wav"));
  }
  for (int dimension : output.own_over) {
    if (std::count(node.over.begin(), node.over.end(), dimension) != 0) {
      return Error(
          entry.line, path,
          absl::StrCat("is over ", blueprint_.dimensions[dimension].name,
                       " already, as its node is"));
    }
  }
  output.dimensions = node.over;
  output.dimensions.insert(output.dimensions.end(), output.own_over.begin(),
                           output.own_over.end());
  std::sort(output.dimensions.begin(), output.dimensions.end());
  KINORA_RETURN_IF_ERROR(
      CheckIdLength(entry.line, path, output.name, output.dimensions));
  int id = static_cast<int>(blueprint_.outputs.size());
  auto [found, inserted] = output_ids_.emplace(output.name, id);
  if (!inserted) {
    const OutputDeclaration& earlier = blueprint_.outputs[found->second];
    return Error(
        entry.line, path,
        absl::StrCat("node ", node.name, " makes \"", output.name,
                     "\", but node ", blueprint_.nodes[earlier.node].name,
                     " (line ", earlier.line, ") does already"));
  }
  node.outputs.push_back(id);
  blueprint_.outputs.push_back(std::move(output));
  return absl::OkStatus();
}

absl::Status BlueprintParser::ParseResults() {
  const YamlNode* list = root_.Find("outputs");
  if (list == nullptr) return absl::OkStatus();
  if (list->kind != YamlNode::Kind::kList) {
    return Error(list->line, "outputs",
                 absl::StrCat("must be a list of artefact names, got ",
                              YamlKindName(list->kind)));
  }
  for (const YamlNode* item : list->items) {
    KINORA_ASSIGN_OR_RETURN(std::string text, Text(*item, "outputs"));
    absl::string_view name = text;
    absl::ConsumePrefix(&name, "Artifact:");
    auto found = output_ids_.find(name);
    if (found == output_ids_.end()) {
      return Error(item->line, "outputs",
                   absl::StrCat("unknown artefact \"", ClipValue(name), "\"",
                                DidYouMean(name, OutputNames())));
    }
    if (std::count(blueprint_.results.begin(), blueprint_.results.end(),
                   found->second) != 0) {
      return Error(item->line, "outputs",
                   absl::StrCat("\"", name, "\" is listed twice"));
    }
    blueprint_.results.push_back(found->second);
  }
  return absl::OkStatus();
}

absl::Status BlueprintParser::Error(int line, absl::string_view path,
                                    absl::string_view what) const {
  std::string clipped = ClipValue(path);
  return BlueprintError(
      file_, line,
      path.empty() ? std::string(what) : absl::StrCat(clipped, ": ", what));
}

absl::Status BlueprintParser::ExpectMap(const YamlNode& node,
                                        absl::string_view path,
                                        Keys keys) const {
  if (node.kind != YamlNode::Kind::kMap) {
    return Error(
        node.line, path,
        absl::StrCat("must be a map with the keys ", absl::StrJoin(keys, ", "),
                     ", got ", YamlKindName(node.kind)));
  }
  for (const YamlEntry& entry : node.entries) {
    if (std::find(keys.begin(), keys.end(), entry.key) == keys.end()) {
      return Error(entry.line, path,
                   absl::StrCat("unknown key \"", ClipValue(entry.key), "\"",
                                DidYouMean(entry.key, keys)));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> BlueprintParser::Text(
    const YamlNode& node, absl::string_view path) const {
  if (node.kind != YamlNode::Kind::kScalar) {
    return Error(node.line, path,
                 absl::StrCat("must be a text, got ", YamlKindName(node.kind)));
  }
  return node.scalar;
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
      std::vector<absl::string_view> names;
      for (const DimensionDeclaration& dimension : blueprint_.dimensions) {
        names.push_back(dimension.name);
      }
      return Error(item->line, here,
                   absl::StrCat("unknown dimension \"", ClipValue(name), "\"",
                                DidYouMean(name, names)));
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

absl::Status BlueprintParser::CheckDeclarations(const YamlNode& map,
                                                absl::string_view path) const {
  if (map.kind == YamlNode::Kind::kNull) return absl::OkStatus();
  if (map.kind != YamlNode::Kind::kMap) {
    return Error(map.line, path,
                 absl::StrCat("must be a map from name to declaration, got ",
                              YamlKindName(map.kind)));
  }
  if (map.entries.size() > kMaxDeclarations) {
    return Error(map.line, path,
                 absl::StrCat("declares ", map.entries.size(),
                              " names, more than ", kMaxDeclarations));
  }
  for (const YamlEntry& entry : map.entries) {
    absl::Status valid = ValidateName("name", entry.key);
    if (!valid.ok()) return Error(entry.line, path, valid.message());
  }
  return absl::OkStatus();
}

absl::Status BlueprintParser::CheckIdLength(
    int line, absl::string_view path, absl::string_view name,
    const std::vector<int>& dimensions) const {
  // The longest index is `[name=999999]`; the longest prefix `Artifact:`.
  size_t bytes = 9 + name.size();
  for (int dimension : dimensions) {
    bytes += blueprint_.dimensions[dimension].name.size() + 9;
  }
  if (dimensions.size() > kMaxDimensionsPerId || bytes > kMaxElementIdBytes) {
    return Error(
        line, path,
        absl::StrCat("its ids would have more than ", kMaxDimensionsPerId,
                     " dimensions or ", kMaxElementIdBytes, " bytes"));
  }
  return absl::OkStatus();
}

std::string BlueprintParser::Spell(const std::vector<int>& dimensions) const {
  std::string text;
  for (int dimension : dimensions) {
    absl::StrAppend(&text, "[", blueprint_.dimensions[dimension].name, "]");
  }
  return text;
}

std::vector<absl::string_view> BlueprintParser::InputNames() const {
  std::vector<absl::string_view> names;
  for (const InputDeclaration& input : blueprint_.inputs) {
    names.push_back(input.name);
  }
  return names;
}

std::vector<absl::string_view> BlueprintParser::OutputNames() const {
  std::vector<absl::string_view> names;
  for (const OutputDeclaration& output : blueprint_.outputs) {
    names.push_back(output.name);
  }
  return names;
}

}  // namespace kinora

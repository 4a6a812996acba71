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
  if (text.size() > kMaxBlueprintTextBytes) {
    return BlueprintError(
        file, 1,
        absl::StrCat("the blueprint has ", text.size(), " bytes, more than ",
                     kMaxBlueprintTextBytes));
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
    if (node->settings_json.size() > kMaxBlueprintTextBytes) {
      return Error(settings->line, here,
                   absl::StrCat("has more than ", kMaxBlueprintTextBytes,
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

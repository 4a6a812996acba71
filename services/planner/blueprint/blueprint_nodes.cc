// The part of the parser that reads nodes, their outputs and the results.

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/files/readable_path.h"
#include "common/status.h"
#include "services/planner/blueprint/blueprint_parser.h"
#include "services/planner/blueprint/suggest.h"

namespace kinora {
namespace {

constexpr size_t kMaxMimeBytes = 127;

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

}  // namespace

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
  return CheckReadablePaths();
}

absl::Status BlueprintParser::ParseNode(const YamlEntry& entry) {
  std::string path = absl::StrCat("nodes.", entry.key);
  const YamlNode& map = *entry.value;
  KINORA_RETURN_IF_ERROR(
      ExpectMap(map, path,
                {"producer", "settings", "salt", "limits", "price", "when",
                 "over", "inputs", "outputs"}));
  NodeDeclaration node;
  node.name = entry.key;
  node.line = entry.line;
  KINORA_RETURN_IF_ERROR(ParseProducer(entry, path, &node));
  KINORA_RETURN_IF_ERROR(ParseSettings(map, path, &node));
  KINORA_RETURN_IF_ERROR(ParseSalt(map, path, &node));
  KINORA_RETURN_IF_ERROR(ParseLimits(map, path, &node));
  KINORA_RETURN_IF_ERROR(ParsePrice(map, path, &node));
  KINORA_ASSIGN_OR_RETURN(node.over, ParseOver(map, path));
  KINORA_RETURN_IF_ERROR(CheckNesting(entry.line, path, node.over));
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
  SaltWithLeaves(&blueprint_.nodes.back());
  return absl::OkStatus();
}

absl::Status BlueprintParser::ParseOutput(const YamlEntry& entry,
                                          const std::string& path) {
  OutputDeclaration output;
  output.name = entry.key;
  output.line = entry.line;
  output.node = static_cast<int>(blueprint_.nodes.size()) - 1;
  const YamlNode* type = entry.value;
  const YamlNode* readable = nullptr;
  const YamlNode* leaves = nullptr;
  if (type->kind == YamlNode::Kind::kMap) {
    KINORA_RETURN_IF_ERROR(
        ExpectMap(*type, path, {"type", "over", "readable", "leaves"}));
    KINORA_ASSIGN_OR_RETURN(output.own_over, ParseOver(*entry.value, path));
    readable = type->Find("readable");
    leaves = type->Find("leaves");
    type = type->Find("type");
    if (type == nullptr) {
      return Error(entry.line, path, "type is missing, such as text/plain");
    }
  }
  KINORA_RETURN_IF_ERROR(ParseType(*type, path, &output));
  KINORA_RETURN_IF_ERROR(
      AddDimensions(blueprint_.nodes.back().over, path, &output));
  if (readable != nullptr) {
    KINORA_RETURN_IF_ERROR(
        ParseReadable(*readable, absl::StrCat(path, ".readable"), &output));
  }
  KINORA_RETURN_IF_ERROR(AddOutput(std::move(output), path));
  if (leaves == nullptr) return absl::OkStatus();
  return ParseLeaves(*leaves, absl::StrCat(path, ".leaves"),
                     static_cast<int>(blueprint_.outputs.size()) - 1);
}

absl::Status BlueprintParser::ParseType(const YamlNode& node,
                                        const std::string& path,
                                        OutputDeclaration* output) {
  KINORA_ASSIGN_OR_RETURN(output->mime_type, Text(node, path));
  if (IsMimeType(output->mime_type)) return absl::OkStatus();
  return Error(node.line, path,
               absl::StrCat("\"", ClipValue(output->mime_type),
                            "\" is not a media type such as audio/wav"));
}

absl::Status BlueprintParser::AddDimensions(const std::vector<int>& given,
                                            const std::string& path,
                                            OutputDeclaration* output) {
  for (int dimension : output->own_over) {
    if (std::count(given.begin(), given.end(), dimension) == 0) continue;
    return Error(
        output->line, path,
        absl::StrCat("is over ", blueprint_.dimensions[dimension].name,
                     " already, as ",
                     output->leaf_of < 0 ? "its node" : "its output", " is"));
  }
  output->dimensions = given;
  output->dimensions.insert(output->dimensions.end(), output->own_over.begin(),
                            output->own_over.end());
  std::sort(output->dimensions.begin(), output->dimensions.end());
  return absl::OkStatus();
}

absl::Status BlueprintParser::AddOutput(OutputDeclaration output,
                                        const std::string& path) {
  NodeDeclaration& node = blueprint_.nodes[output.node];
  KINORA_RETURN_IF_ERROR(CheckNesting(output.line, path, output.dimensions));
  KINORA_RETURN_IF_ERROR(
      CheckIdLength(output.line, path, output.name, output.dimensions));
  int id = static_cast<int>(blueprint_.outputs.size());
  auto [found, inserted] = output_ids_.emplace(output.name, id);
  if (!inserted) {
    const OutputDeclaration& earlier = blueprint_.outputs[found->second];
    return Error(
        output.line, path,
        absl::StrCat("node ", node.name, " makes \"", output.name,
                     "\", but node ", blueprint_.nodes[earlier.node].name,
                     " (line ", earlier.line, ") does already"));
  }
  node.outputs.push_back(id);
  blueprint_.outputs.push_back(std::move(output));
  return absl::OkStatus();
}

absl::Status BlueprintParser::ParseReadable(const YamlNode& node,
                                            const std::string& path,
                                            OutputDeclaration* output) {
  KINORA_ASSIGN_OR_RETURN(std::string text, Text(node, path));
  if (!IsReadableType(output->mime_type)) {
    return Error(node.line, path,
                 absl::StrCat("only text and JSON have a readable copy, and "
                              "the output is ",
                              output->mime_type));
  }
  std::vector<std::string> names;
  for (int dimension : output->dimensions) {
    names.push_back(blueprint_.dimensions[dimension].name);
  }
  absl::StatusOr<ReadableTemplate> parsed =
      ReadableTemplate::Parse(text, names);
  if (!parsed.ok()) return Error(node.line, path, parsed.status().message());
  output->readable = *std::move(parsed);
  return absl::OkStatus();
}

// Two outputs must not share a file, and none may be where another has a
// directory.
absl::Status BlueprintParser::CheckReadablePaths() const {
  std::map<std::string, const OutputDeclaration*> by_skeleton;
  for (const OutputDeclaration& output : blueprint_.outputs) {
    if (output.readable.empty()) continue;
    // With the slash a directory sorts right before what is in it.
    auto [at, inserted] = by_skeleton.emplace(
        absl::StrCat(output.readable.Skeleton(), "/"), &output);
    const OutputDeclaration* other = inserted ? nullptr : at->second;
    if (other == nullptr && at != by_skeleton.begin() &&
        absl::StartsWith(at->first, std::prev(at)->first)) {
      other = std::prev(at)->second;
    }
    auto next = std::next(at);
    if (other == nullptr && next != by_skeleton.end() &&
        absl::StartsWith(next->first, at->first)) {
      other = next->second;
    }
    if (other == nullptr) continue;
    return Error(output.line,
                 absl::StrCat("nodes.", blueprint_.nodes[output.node].name,
                              ".outputs.", output.name, ".readable"),
                 absl::StrCat("its files may be those of output ", other->name,
                              " (line ", other->line,
                              "); give it a directory of its "
                              "own"));
  }
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

}  // namespace kinora

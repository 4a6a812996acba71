// The part of the parser that reads leaves: parts of structured outputs that
// are artefacts of their own.

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/status.h"
#include "services/planner/blueprint/blueprint_parser.h"

namespace kinora {

absl::Status BlueprintParser::ParseLeaves(const YamlNode& map,
                                          const std::string& path, int parent) {
  const OutputDeclaration& output = blueprint_.outputs[parent];
  if (output.mime_type != "application/json") {
    return Error(map.line, path,
                 absl::StrCat("only JSON has leaves, and the output is ",
                              output.mime_type));
  }
  if (!output.readable.empty()) {
    return Error(map.line, path,
                 "an output with leaves has no readable copy: an edit would "
                 "not reach them; give the leaves one");
  }
  KINORA_RETURN_IF_ERROR(CheckDeclarations(map, path));
  for (const YamlEntry& entry : map.entries) {
    KINORA_RETURN_IF_ERROR(
        ParseLeaf(entry, absl::StrCat(path, ".", entry.key), parent));
  }
  return absl::OkStatus();
}

absl::Status BlueprintParser::ParseLeaf(const YamlEntry& entry,
                                        const std::string& path, int parent) {
  OutputDeclaration leaf;
  leaf.name = entry.key;
  leaf.line = entry.line;
  leaf.node = blueprint_.outputs[parent].node;
  leaf.leaf_of = parent;
  leaf.mime_type = "application/json";
  const YamlNode* at = entry.value;
  const YamlNode* readable = nullptr;
  if (at->kind == YamlNode::Kind::kMap) {
    KINORA_RETURN_IF_ERROR(
        ExpectMap(*at, path, {"at", "type", "over", "readable"}));
    KINORA_ASSIGN_OR_RETURN(leaf.own_over, ParseOver(*entry.value, path));
    if (const YamlNode* type = at->Find("type")) {
      KINORA_RETURN_IF_ERROR(ParseType(*type, path, &leaf));
    }
    readable = at->Find("readable");
    at = at->Find("at");
    if (at == nullptr) {
      return Error(entry.line, path, "at is missing, such as /title");
    }
  }
  if (leaf.mime_type != "application/json" &&
      !absl::StartsWith(leaf.mime_type, "text/")) {
    return Error(entry.line, path,
                 absl::StrCat("a leaf is text or JSON, not ", leaf.mime_type));
  }
  const std::vector<int> given = blueprint_.outputs[parent].dimensions;
  KINORA_RETURN_IF_ERROR(AddDimensions(given, path, &leaf));
  std::vector<std::string> names;
  std::vector<bool> required;
  for (int dimension : leaf.dimensions) {
    names.push_back(blueprint_.dimensions[dimension].name);
    required.push_back(
        std::count(leaf.own_over.begin(), leaf.own_over.end(), dimension) != 0);
  }
  KINORA_ASSIGN_OR_RETURN(std::string text, Text(*at, path));
  absl::StatusOr<LeafPointer> pointer =
      LeafPointer::Parse(text, names, required);
  if (!pointer.ok()) return Error(at->line, path, pointer.status().message());
  leaf.pointer = *std::move(pointer);
  if (readable != nullptr) {
    KINORA_RETURN_IF_ERROR(
        ParseReadable(*readable, absl::StrCat(path, ".readable"), &leaf));
  }
  // One job makes it with what it is a leaf of.
  const std::vector<int>& over = blueprint_.nodes[leaf.node].over;
  leaf.own_over.clear();
  for (int dimension : leaf.dimensions) {
    if (std::count(over.begin(), over.end(), dimension) == 0) {
      leaf.own_over.push_back(dimension);
    }
  }
  return AddOutput(std::move(leaf), path);
}

// What a leaf is depends on where it is taken from, so that is part of the key.
void BlueprintParser::SaltWithLeaves(NodeDeclaration* node) {
  std::string leaves;
  for (int id : node->outputs) {
    const OutputDeclaration& output = blueprint_.outputs[id];
    if (output.leaf_of < 0) continue;
    absl::StrAppend(&leaves, output.name, " ", output.mime_type, " ",
                    blueprint_.outputs[output.leaf_of].name, " ",
                    output.pointer.text(), "\n");
  }
  if (leaves.empty()) return;
  absl::StrAppend(&node->salt, kLeavesOfSalt, Sha256Of(leaves).Hex());
}

}  // namespace kinora

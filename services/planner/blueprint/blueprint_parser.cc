#include "services/planner/blueprint/blueprint_parser.h"

#include <algorithm>
#include <deque>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

#include "common/element_id.h"
#include "common/error_reason.h"
#include "common/ids.h"
#include "common/status.h"
#include "services/planner/blueprint/sub_blueprints.h"
#include "services/planner/blueprint/suggest.h"

namespace kinora {

bool IsProducerName(absl::string_view text) {
  if (text.empty() || text.size() > kMaxProducerBytes) return false;
  for (char c : text) {
    if (!absl::ascii_isalnum(c) && c != '_' && c != '-' && c != '.') {
      return false;
    }
  }
  return absl::ascii_isalnum(text[0]);
}

int Blueprint::FindInput(absl::string_view name) const {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

int Blueprint::FindNode(absl::string_view name) const {
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

int Blueprint::FindOutput(absl::string_view name) const {
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

const std::vector<int>& Blueprint::DimensionsOf(
    const Reference& reference) const {
  return reference.is_input ? inputs[reference.target].over
                            : outputs[reference.target].dimensions;
}

std::vector<uint32_t> Blueprint::PointOfWhole(
    const OutputDeclaration& leaf, absl::Span<const uint32_t> point) const {
  return ProjectPoint(point, leaf.dimensions, outputs[leaf.leaf_of].dimensions);
}

std::vector<uint32_t> ProjectPoint(absl::Span<const uint32_t> point,
                                   const std::vector<int>& dimensions,
                                   const std::vector<int>& onto) {
  std::vector<uint32_t> projected;
  for (size_t i = 0; i < point.size(); ++i) {
    if (std::count(onto.begin(), onto.end(), dimensions[i]) != 0) {
      projected.push_back(point[i]);
    }
  }
  return projected;
}

namespace {

// The whole that one document and what it uses come to.
absl::StatusOr<Blueprint> ParseFrom(
    absl::string_view file, const std::vector<const YamlNode*>& documents,
    const YamlNode& root) {
  std::deque<YamlNode> made;
  KINORA_ASSIGN_OR_RETURN(const WholeBlueprint whole,
                          ExpandSubBlueprints(file, documents, root, &made));
  BlueprintParser parser(file, *whole.root, ContextOf(documents, root.line));
  absl::StatusOr<Blueprint> blueprint = parser.Parse();
  if (blueprint.ok()) {
    KINORA_RETURN_IF_ERROR(
        CheckUseBindings(file, documents, whole.bindings, *blueprint));
    return blueprint;
  }
  // What is wrong stands where an input is bound, not where that is read.
  for (const UseBinding& binding : whole.bindings) {
    if (binding.reference != parser.reading()) continue;
    return WithReason(
        absl::Status(
            blueprint.status().code(),
            absl::StrReplaceAll(
                blueprint.status().message(),
                {{absl::StrCat(MetadataOf(blueprint.status())["path"], ": "),
                  absl::StrCat(ClipValue(binding.path), ": ")}})),
        "BLUEPRINT_INVALID",
        {{"field", "blueprint"},
         {"line", absl::StrCat(binding.reference->line)},
         {"path", ClipValue(binding.path)}});
  }
  return blueprint;
}

// An error in a document that others use names things as they are in the whole.
// If the document has the same trouble by itself, it says so in its own words.
absl::Status InItsOwnWords(absl::string_view file,
                           const std::vector<const YamlNode*>& documents,
                           const absl::Status& status) {
  const std::string line_text = MetadataOf(status)["line"];
  int line = 0;
  if (!absl::SimpleAtoi(line_text, &line)) return status;
  const YamlNode& document = DocumentOf(documents, line);
  if (&document == documents[0]) return status;
  absl::Status own = ParseFrom(file, documents, document).status();
  return !own.ok() && MetadataOf(own)["line"] == line_text ? own : status;
}

}  // namespace

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
  const std::vector<const YamlNode*>& documents = tree->documents();
  absl::StatusOr<Blueprint> whole = ParseFrom(file, documents, *documents[0]);
  if (whole.ok() || documents.size() == 1) return whole;
  return InItsOwnWords(file, documents, whole.status());
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
  KINORA_RETURN_IF_ERROR(ParseNodes());
  KINORA_RETURN_IF_ERROR(ParseDimensionSizes());
  KINORA_RETURN_IF_ERROR(ParseBindings());
  KINORA_RETURN_IF_ERROR(ParseConditions());
  KINORA_RETURN_IF_ERROR(ParseResults());
  KINORA_RETURN_IF_ERROR(OrderNodes());
  KINORA_RETURN_IF_ERROR(OrderShape());
  return std::move(blueprint_);
}

absl::Status BlueprintParser::Error(int line, absl::string_view path,
                                    absl::string_view what) const {
  const std::string clipped = ClipValue(path);
  return WithReason(
      BlueprintError(
          file_, line,
          absl::StrCat(context_, clipped, path.empty() ? "" : ": ", what)),
      "BLUEPRINT_INVALID", {{"path", clipped}});
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
  // The longest index is `[name=999999]`; the longest prefix `Input:Take_`.
  size_t bytes = 11 + name.size();
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

std::vector<absl::string_view> BlueprintParser::DimensionNames() const {
  std::vector<absl::string_view> names;
  for (const DimensionDeclaration& dimension : blueprint_.dimensions) {
    names.push_back(dimension.name);
  }
  return names;
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

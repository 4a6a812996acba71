// A BlueprintParser turns one YAML tree into a Blueprint. Behind
// ParseBlueprint(), which is what others call.
//
// It goes through the document in the order that resolution needs: names of
// dimensions, inputs, sizes of dimensions, nodes with their outputs, then what
// nodes read (blueprint_links.cc) and the cycles in it. The first problem ends
// it.

#ifndef KINORA_SERVICES_PLANNER_BLUEPRINT_BLUEPRINT_PARSER_H_
#define KINORA_SERVICES_PLANNER_BLUEPRINT_BLUEPRINT_PARSER_H_

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "services/planner/blueprint/blueprint.h"
#include "services/planner/blueprint/reference.h"
#include "services/planner/blueprint/yaml_tree.h"

namespace kinora {

// For one document; not thread-safe.
class BlueprintParser {
 public:
  // `root` MUST outlive the parser.
  BlueprintParser(absl::string_view file, const YamlNode& root)
      : file_(file), root_(root) {}

  absl::StatusOr<Blueprint> Parse();

 private:
  using Keys = std::initializer_list<absl::string_view>;

  // Inputs and dimensions: blueprint_inputs.cc.
  absl::Status ParseDimensionNames();
  absl::Status ParseInputs();
  absl::Status ParseInput(const YamlEntry& entry);
  absl::Status ParseBounds(const YamlNode& map, const std::string& path,
                           InputRule* rule);
  absl::Status ParseDefault(const YamlNode& map, const std::string& path,
                            InputDeclaration* input);
  absl::Status ParseDimensionSizes();
  absl::Status ParseSize(const YamlNode& node, const std::string& path,
                         DimensionDeclaration* dimension);

  // Nodes and results: blueprint_parser.cc.
  absl::Status ParseNodes();
  absl::Status ParseNode(const YamlEntry& entry);
  absl::Status ParseSettings(const YamlNode& map, const std::string& path,
                             NodeDeclaration* node);
  absl::Status ParseOutput(const YamlEntry& entry, const std::string& path);
  absl::Status ParseResults();

  // What is read from where: blueprint_links.cc.
  absl::Status ParseBindings();
  absl::Status ParseBinding(const YamlEntry& entry, const std::string& path,
                            const NodeDeclaration& node, Binding* binding);
  absl::Status ResolveTarget(const SpelledReference& reference,
                             const std::string& path, Binding* binding);
  absl::Status ResolveIndices(const SpelledReference& reference,
                              const std::string& path,
                              const NodeDeclaration& node, Binding* binding);
  absl::Status OrderNodes();
  absl::Status CycleError(const std::vector<int>& waiting) const;

  // Shared by both.
  absl::Status Error(int line, absl::string_view path,
                     absl::string_view what) const;
  absl::Status ExpectMap(const YamlNode& node, absl::string_view path,
                         Keys keys) const;
  absl::StatusOr<std::string> Text(const YamlNode& node,
                                   absl::string_view path) const;
  absl::StatusOr<std::vector<int>> ParseOver(const YamlNode& map,
                                             const std::string& path) const;
  absl::Status CheckDeclarations(const YamlNode& map,
                                 absl::string_view path) const;
  absl::Status CheckIdLength(int line, absl::string_view path,
                             absl::string_view name,
                             const std::vector<int>& dimensions) const;
  // `[segment][image]`.
  std::string Spell(const std::vector<int>& dimensions) const;
  std::vector<absl::string_view> InputNames() const;
  std::vector<absl::string_view> OutputNames() const;

  const absl::string_view file_;
  const YamlNode& root_;
  Blueprint blueprint_;
  absl::flat_hash_map<std::string, int> dimension_ids_;
  absl::flat_hash_map<std::string, int> input_ids_;
  absl::flat_hash_map<std::string, int> output_ids_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_BLUEPRINT_BLUEPRINT_PARSER_H_

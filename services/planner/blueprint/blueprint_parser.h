// A BlueprintParser turns one YAML tree into a Blueprint. Behind
// ParseBlueprint(), which is what others call.
//
// It goes through the document in the order that resolution needs: names of
// dimensions, inputs, nodes with their outputs, sizes of dimensions, then what
// nodes read and when they are active, and the cycles in it. The first problem
// ends it.

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
  // `root` MUST outlive the parser. `context` stands before each message.
  BlueprintParser(absl::string_view file, const YamlNode& root,
                  std::string context)
      : file_(file), root_(root), context_(std::move(context)) {}

  absl::StatusOr<Blueprint> Parse();

  // Of an input without dimensions that the document declares.
  absl::StatusOr<InputRule> RuleOfInput(const YamlEntry& entry);

  // What was being resolved when Parse() failed; null if nothing was.
  const YamlNode* reading() const { return reading_; }

 private:
  using Keys = std::initializer_list<absl::string_view>;

  // Inputs: blueprint_inputs.cc.
  absl::Status ParseInputs();
  absl::Status ParseInput(const YamlEntry& entry);
  absl::Status ParseBounds(const YamlNode& map, const std::string& path,
                           InputRule* rule);
  absl::Status ParseDefault(const YamlNode& map, const std::string& path,
                            InputDeclaration* input);

  // Dimensions: blueprint_dimensions.cc.
  absl::Status ParseDimensionNames();
  absl::Status ParseWithin(const YamlNode& node, const std::string& path,
                           DimensionDeclaration* dimension);
  absl::Status ParseDimensionSizes();
  absl::Status ParseSize(const YamlNode& node, const std::string& path,
                         DimensionDeclaration* dimension);
  absl::Status ResolveSize(const YamlNode& node, const std::string& path,
                           DimensionDeclaration* dimension);
  absl::Status ParseSizeInput(const YamlNode& node,
                              const SpelledReference& reference,
                              const std::string& path,
                              DimensionDeclaration* dimension);
  absl::Status ParseSizeOutput(const YamlNode& node,
                               const SpelledReference& reference,
                               const std::string& path,
                               DimensionDeclaration* dimension);
  absl::Status CheckSizeIndices(const YamlNode& node,
                                const SpelledReference& reference,
                                const std::string& path,
                                const std::vector<int>& over,
                                const DimensionDeclaration& dimension) const;
  absl::StatusOr<std::vector<int>> ParseOver(const YamlNode& map,
                                             const std::string& path) const;
  absl::Status CheckNesting(int line, absl::string_view path,
                            const std::vector<int>& dimensions) const;

  // Nodes and results: blueprint_nodes.cc.
  absl::Status ParseNodes();
  absl::Status ParseNode(const YamlEntry& entry);
  absl::Status ParseOutput(const YamlEntry& entry, const std::string& path);
  absl::Status AddOutput(OutputDeclaration output, const std::string& path);
  absl::Status ParseType(const YamlNode& node, const std::string& path,
                         OutputDeclaration* output);
  // `own_over` to `dimensions`, given those of the node or of what it is a
  // leaf of.
  absl::Status AddDimensions(const std::vector<int>& given,
                             const std::string& path,
                             OutputDeclaration* output);
  absl::Status ParseReadable(const YamlNode& node, const std::string& path,
                             OutputDeclaration* output);
  absl::Status CheckReadablePaths() const;
  absl::Status ParseResults();

  // Leaves of structured outputs: blueprint_leaves.cc.
  absl::Status ParseLeaves(const YamlNode& map, const std::string& path,
                           int parent);
  absl::Status ParseLeaf(const YamlEntry& entry, const std::string& path,
                         int parent);
  void SaltWithLeaves(NodeDeclaration* node);

  // What a node says of its producer and its runs: blueprint_node_options.cc.
  absl::Status ParseProducer(const YamlEntry& entry, const std::string& path,
                             NodeDeclaration* node);
  absl::Status ParseSettings(const YamlNode& map, const std::string& path,
                             NodeDeclaration* node);
  absl::Status ParseSalt(const YamlNode& map, const std::string& path,
                         NodeDeclaration* node);
  absl::Status ParseLimits(const YamlNode& map, const std::string& path,
                           NodeDeclaration* node);
  absl::Status ParsePrice(const YamlNode& map, const std::string& path,
                          NodeDeclaration* node);
  absl::StatusOr<double> Number(const YamlNode& node,
                                absl::string_view path) const;

  // What is read from where: blueprint_links.cc.
  absl::Status ParseBindings();
  absl::Status ParseBinding(const YamlEntry& entry, const std::string& path,
                            const NodeDeclaration& node, Binding* binding);
  // `is_list` allows dimensions that are not the node's own.
  absl::StatusOr<Reference> ParseReferenceAt(const YamlNode& value,
                                             const std::string& path,
                                             const NodeDeclaration& node,
                                             bool is_list);
  absl::Status ResolveTarget(const SpelledReference& spelled, int line,
                             const std::string& path, Reference* reference);
  absl::Status ResolveIndices(const SpelledReference& spelled, int line,
                              const std::string& path,
                              const NodeDeclaration& node, bool is_list,
                              Reference* reference);
  absl::Status CheckConstant(const DimensionDeclaration& dimension,
                             uint32_t constant, absl::string_view spelled,
                             int line, absl::string_view path) const;
  absl::Status ParseListOrder(const YamlNode& map, const std::string& path,
                              const NodeDeclaration& node, Binding* binding);
  // Places of the dimensions a fan-in runs through.
  std::vector<size_t> Ranges(const NodeDeclaration& node,
                             const Reference& reference) const;

  // When nodes are active: blueprint_conditions.cc.
  absl::Status ParseConditions();
  absl::Status ParseCondition(const YamlNode& value, const std::string& path,
                              NodeDeclaration* node);
  absl::Status ParseComparison(const YamlEntry& entry, const std::string& path,
                               Condition* condition);
  // The hash that a value has if it is `choice`.
  absl::StatusOr<std::string> HashOfChoice(const YamlNode& choice,
                                           const std::string& path,
                                           const Reference& value) const;
  absl::Status CheckComparable(int line, const std::string& path,
                               absl::string_view comparison,
                               const Reference& value) const;

  // What decides about the graph, and that it is not decided by itself:
  // blueprint_deciders.cc.
  absl::Status OrderShape();
  absl::Status CheckDecider(int line, const std::string& path, int output,
                            absl::string_view decided,
                            const std::vector<int>& components,
                            size_t at) const;

  // In which order nodes are looked at: blueprint_order.cc.
  absl::Status OrderNodes();
  absl::Status FindHardCycles() const;
  absl::Status CycleError(const std::vector<int>& waiting) const;
  bool IsHard(const NodeDeclaration& reader, const Binding& binding) const;

  // Shared by all.
  absl::Status Error(int line, absl::string_view path,
                     absl::string_view what) const;
  absl::Status ExpectMap(const YamlNode& node, absl::string_view path,
                         Keys keys) const;
  absl::StatusOr<std::string> Text(const YamlNode& node,
                                   absl::string_view path) const;
  absl::Status CheckDeclarations(const YamlNode& map,
                                 absl::string_view path) const;
  absl::Status CheckIdLength(int line, absl::string_view path,
                             absl::string_view name,
                             const std::vector<int>& dimensions) const;
  // `[segment][image]`.
  std::string Spell(const std::vector<int>& dimensions) const;
  std::vector<absl::string_view> DimensionNames() const;
  std::vector<absl::string_view> InputNames() const;
  std::vector<absl::string_view> OutputNames() const;

  const absl::string_view file_;
  const YamlNode& root_;
  const std::string context_;
  const YamlNode* reading_ = nullptr;
  Blueprint blueprint_;
  absl::flat_hash_map<std::string, int> dimension_ids_;
  absl::flat_hash_map<std::string, int> input_ids_;
  absl::flat_hash_map<std::string, int> output_ids_;
};

// A producer's name: producers are named by whoever configures the runner, so
// more is allowed than in names that ids are made of.
inline constexpr size_t kMaxProducerBytes = 128;
bool IsProducerName(absl::string_view text);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_BLUEPRINT_BLUEPRINT_PARSER_H_

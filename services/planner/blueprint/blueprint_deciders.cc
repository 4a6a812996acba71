// The part of the parser that finds what decides about the graph: artefacts
// that size dimensions or that conditions look at. What they decide about must
// not be upstream of them. That is held for nodes as a whole, not job by job,
// so that it does not depend on sizes.

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/planner/blueprint/blueprint_parser.h"
#include "services/planner/blueprint/strong_components.h"

namespace kinora {

absl::Status BlueprintParser::OrderShape() {
  const size_t num_dimensions = blueprint_.dimensions.size();
  const size_t count = num_dimensions + blueprint_.nodes.size();
  // Dimensions, then nodes; `edges` lead to what each depends on.
  std::vector<std::vector<int>> edges(count);
  std::set<int> deciding;
  const auto node_at = [&](int node) {
    return static_cast<int>(num_dimensions) + node;
  };
  const auto add_all = [](const std::vector<int>& from, std::vector<int>* to) {
    to->insert(to->end(), from.begin(), from.end());
  };
  for (size_t d = 0; d < num_dimensions; ++d) {
    const DimensionDeclaration& dimension = blueprint_.dimensions[d];
    add_all(dimension.ancestors, &edges[d]);
    if (dimension.size_output < 0) continue;
    deciding.insert(dimension.size_output);
    edges[d].push_back(node_at(blueprint_.outputs[dimension.size_output].node));
  }
  for (size_t n = 0; n < blueprint_.nodes.size(); ++n) {
    const NodeDeclaration& node = blueprint_.nodes[n];
    std::vector<int>& to = edges[num_dimensions + n];
    const auto add = [&](const Reference& reference) {
      add_all(blueprint_.DimensionsOf(reference), &to);
      if (reference.is_input) return;
      to.push_back(node_at(blueprint_.outputs[reference.target].node));
    };
    add_all(node.over, &to);
    for (int output : node.outputs) {
      add_all(blueprint_.outputs[output].dimensions, &to);
    }
    for (const Binding& binding : node.bindings) {
      add(binding.from);
      if (binding.fallback.has_value()) add(*binding.fallback);
    }
    for (const Condition& condition : node.conditions) {
      add(condition.value);
      if (!condition.value.is_input) deciding.insert(condition.value.target);
    }
  }
  blueprint_.deciding_outputs.assign(deciding.begin(), deciding.end());
  std::vector<int> order(count);
  for (size_t i = 0; i < count; ++i) order[i] = static_cast<int>(i);
  if (!deciding.empty()) {
    const std::vector<int> components = FindStrongComponents(edges).of;
    for (size_t d = 0; d < num_dimensions; ++d) {
      const DimensionDeclaration& dimension = blueprint_.dimensions[d];
      if (dimension.size_output < 0) continue;
      KINORA_RETURN_IF_ERROR(CheckDecider(
          root_.Find("dimensions")->entries[d].value->Find("size")->line,
          absl::StrCat("dimensions.", dimension.name, ".size"),
          dimension.size_output, absl::StrCat("dimension ", dimension.name),
          components, d));
    }
    for (size_t n = 0; n < blueprint_.nodes.size(); ++n) {
      const NodeDeclaration& node = blueprint_.nodes[n];
      for (const Condition& condition : node.conditions) {
        if (condition.value.is_input) continue;
        KINORA_RETURN_IF_ERROR(CheckDecider(
            condition.line, absl::StrCat("nodes.", node.name, ".when"),
            condition.value.target, absl::StrCat("node ", node.name),
            components, num_dimensions + n));
      }
    }
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
      return components[a] < components[b];
    });
  }
  for (int at : order) {
    ShapeStep& step = blueprint_.shape_order.emplace_back();
    const bool is_dimension = at < static_cast<int>(num_dimensions);
    (is_dimension ? step.dimension : step.node) =
        is_dimension ? at : at - static_cast<int>(num_dimensions);
  }
  return absl::OkStatus();
}

// The maker of an output must not depend on what the output decides about.
absl::Status BlueprintParser::CheckDecider(int line, const std::string& path,
                                           int output,
                                           absl::string_view decided,
                                           const std::vector<int>& components,
                                           size_t at) const {
  const OutputDeclaration& decider = blueprint_.outputs[output];
  const size_t maker =
      blueprint_.dimensions.size() + static_cast<size_t>(decider.node);
  if (components[maker] != components[at]) return absl::OkStatus();
  const std::string& node = blueprint_.nodes[decider.node].name;
  return Error(
      line, path,
      absl::StrCat("cycle: \"", decider.name, "\" decides about ", decided,
                   ", but node ", node,
                   ", which makes it, depends on that itself: node ", node,
                   " must not be over it, make artefacts over it or "
                   "read from what does"));
}

}  // namespace kinora

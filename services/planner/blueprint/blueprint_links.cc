// The part of the parser that resolves what nodes read from where.

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/ids.h"
#include "common/status.h"
#include "services/planner/blueprint/blueprint_parser.h"
#include "services/planner/blueprint/suggest.h"

namespace kinora {

absl::Status BlueprintParser::ParseBindings() {
  const YamlNode& nodes = *root_.Find("nodes");
  for (size_t i = 0; i < nodes.entries.size(); ++i) {
    const YamlNode* inputs = nodes.entries[i].value->Find("inputs");
    if (inputs == nullptr) continue;
    NodeDeclaration& node = blueprint_.nodes[i];
    std::string path = absl::StrCat("nodes.", node.name, ".inputs");
    KINORA_RETURN_IF_ERROR(CheckDeclarations(*inputs, path));
    for (const YamlEntry& entry : inputs->entries) {
      Binding binding;
      KINORA_RETURN_IF_ERROR(ParseBinding(
          entry, absl::StrCat(path, ".", entry.key), node, &binding));
      node.bindings.push_back(std::move(binding));
    }
    std::sort(
        node.bindings.begin(), node.bindings.end(),
        [](const Binding& a, const Binding& b) { return a.name < b.name; });
  }
  return absl::OkStatus();
}

absl::Status BlueprintParser::ParseBinding(const YamlEntry& entry,
                                           const std::string& path,
                                           const NodeDeclaration& node,
                                           Binding* binding) {
  binding->name = entry.key;
  binding->line = entry.line;
  const YamlNode* value = entry.value;
  if (value->kind == YamlNode::Kind::kMap) {
    KINORA_RETURN_IF_ERROR(ExpectMap(*value, path, {"all"}));
    binding->is_list = true;
    value = value->Find("all");
    if (value == nullptr) {
      return Error(entry.line, path, "a fan-in is {all: \"NAME[dimension]\"}");
    }
  }
  KINORA_ASSIGN_OR_RETURN(std::string text, Text(*value, path));
  absl::StatusOr<SpelledReference> reference = ParseReference(text);
  if (!reference.ok()) {
    return Error(value->line, path, reference.status().message());
  }
  binding->line = value->line;
  KINORA_RETURN_IF_ERROR(ResolveTarget(*reference, path, binding));
  return ResolveIndices(*reference, path, node, binding);
}

absl::Status BlueprintParser::ResolveTarget(const SpelledReference& reference,
                                            const std::string& path,
                                            Binding* binding) {
  binding->is_input = reference.is_input;
  const std::string& name = reference.name;
  const auto& ids = reference.is_input ? input_ids_ : output_ids_;
  auto found = ids.find(name);
  if (found != ids.end()) {
    binding->target = found->second;
    return absl::OkStatus();
  }
  std::string hint;
  if (!reference.is_input && input_ids_.contains(name)) {
    hint = absl::StrCat("; did you mean \"Input:", name, "\"?");
  } else if (reference.is_input && output_ids_.contains(name)) {
    hint = absl::StrCat("; did you mean \"", name, "\", the artefact?");
  } else {
    hint = DidYouMean(name, reference.is_input ? InputNames() : OutputNames());
  }
  return Error(
      binding->line, path,
      absl::StrCat("unknown ", reference.is_input ? "input" : "artefact", " \"",
                   ClipValue(name), "\"", hint));
}

absl::Status BlueprintParser::ResolveIndices(const SpelledReference& reference,
                                             const std::string& path,
                                             const NodeDeclaration& node,
                                             Binding* binding) {
  const std::vector<int>& dimensions =
      binding->is_input ? blueprint_.inputs[binding->target].over
                        : blueprint_.outputs[binding->target].dimensions;
  std::string spelled =
      absl::StrCat(binding->is_input ? "Input:" : "", reference.name);
  auto error = [&](absl::string_view what) {
    return Error(binding->line, path, absl::StrCat("\"", spelled, "\" ", what));
  };
  if (reference.indices.size() != dimensions.size()) {
    if (dimensions.empty()) return error("has no dimensions, so no indices");
    return error(absl::StrCat("has the dimensions ", Spell(dimensions),
                              ", so write \"", spelled, Spell(dimensions), "\"",
                              binding->is_list ? "" : " or a fan-in"));
  }
  bool ranges = false;
  for (size_t i = 0; i < dimensions.size(); ++i) {
    const DimensionDeclaration& dimension =
        blueprint_.dimensions[dimensions[i]];
    const SpelledIndex& spelled_index = reference.indices[i];
    if (!spelled_index.dimension.empty() &&
        spelled_index.dimension != dimension.name) {
      return error(absl::StrCat(dimension_ids_.contains(spelled_index.dimension)
                                    ? "is not over dimension \""
                                    : "names the unknown dimension \"",
                                ClipValue(spelled_index.dimension),
                                "\" in place ", i + 1,
                                "; it has the dimensions ", Spell(dimensions)));
    }
    ReferenceIndex index;
    index.is_constant = spelled_index.is_constant;
    index.constant = spelled_index.constant;
    if (index.is_constant) {
      uint32_t size =
          dimension.size_input < 0 ? dimension.size : kMaxDimensionSize;
      if (index.constant >= size) {
        return error(absl::StrCat(
            "has no index ", index.constant, ": dimension ", dimension.name,
            " has size ", size, dimension.size_input < 0 ? "" : " at most"));
      }
    } else if (std::count(node.over.begin(), node.over.end(), dimensions[i]) ==
               0) {
      if (!binding->is_list) {
        return error(absl::StrCat(
            "is over ", dimension.name, ", but node ", node.name,
            " is not: take one as [0], all as {all: \"", spelled,
            Spell(dimensions), "\"}, or add over: [", dimension.name, "]"));
      }
      ranges = true;
    }
    binding->indices.push_back(index);
  }
  if (binding->is_list && !ranges) {
    return error(
        absl::StrCat("runs through no dimension: it has none that node ",
                     node.name, " is not over, so it is no fan-in"));
  }
  return absl::OkStatus();
}

// Kahn's algorithm over nodes: without offsets between indices, a cycle of
// jobs is a cycle of nodes.
absl::Status BlueprintParser::OrderNodes() {
  size_t count = blueprint_.nodes.size();
  std::vector<std::vector<int>> readers(count);
  std::vector<int> waiting(count, 0);
  for (size_t i = 0; i < count; ++i) {
    for (const Binding& binding : blueprint_.nodes[i].bindings) {
      if (binding.is_input) continue;
      readers[blueprint_.outputs[binding.target].node].push_back(
          static_cast<int>(i));
      ++waiting[i];
    }
  }
  std::priority_queue<int, std::vector<int>, std::greater<int>> ready;
  for (size_t i = 0; i < count; ++i) {
    if (waiting[i] == 0) ready.push(static_cast<int>(i));
  }
  while (!ready.empty()) {
    int node = ready.top();
    ready.pop();
    blueprint_.node_order.push_back(node);
    for (int reader : readers[node]) {
      if (--waiting[reader] == 0) ready.push(reader);
    }
  }
  if (blueprint_.node_order.size() == count) return absl::OkStatus();
  return CycleError(waiting);
}

absl::Status BlueprintParser::CycleError(
    const std::vector<int>& waiting) const {
  // A node that waits reads from one that waits, so walking upstream from any
  // of them runs into a cycle.
  int at = static_cast<int>(std::find_if(waiting.begin(), waiting.end(),
                                         [](int n) { return n > 0; }) -
                            waiting.begin());
  std::vector<int> seen_at(waiting.size(), -1);
  std::vector<int> path;
  while (seen_at[at] < 0) {
    seen_at[at] = static_cast<int>(path.size());
    path.push_back(at);
    for (const Binding& binding : blueprint_.nodes[at].bindings) {
      if (binding.is_input) continue;
      int maker = blueprint_.outputs[binding.target].node;
      if (waiting[maker] == 0) continue;
      at = maker;
      break;
    }
  }
  path.erase(path.begin(), path.begin() + seen_at[at]);
  // In the direction of the data, from the node declared first.
  std::reverse(path.begin(), path.end());
  std::rotate(path.begin(), std::min_element(path.begin(), path.end()),
              path.end());
  constexpr size_t kMaxNamed = 20;
  std::string text;
  for (size_t i = 0; i < path.size() && i < kMaxNamed; ++i) {
    absl::StrAppend(&text, blueprint_.nodes[path[i]].name, " -> ");
  }
  if (path.size() > kMaxNamed) text += "... -> ";
  const NodeDeclaration& first = blueprint_.nodes[path[0]];
  return Error(first.line, absl::StrCat("nodes.", first.name),
               absl::StrCat("cycle: ", text, first.name));
}

}  // namespace kinora

// The part of the parser that puts nodes into an order and finds cycles.

#include <algorithm>
#include <functional>
#include <queue>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/planner/blueprint/blueprint_parser.h"
#include "services/planner/blueprint/cycle_text.h"
#include "services/planner/blueprint/strong_components.h"

namespace kinora {

absl::Status BlueprintParser::OrderNodes() {
  KINORA_RETURN_IF_ERROR(FindHardCycles());
  size_t count = blueprint_.nodes.size();
  std::vector<std::vector<int>> makers(count);
  for (size_t i = 0; i < count; ++i) {
    std::set<int> read;
    for (const Binding& binding : blueprint_.nodes[i].bindings) {
      if (!binding.from.is_input) {
        read.insert(blueprint_.outputs[binding.from.target].node);
      }
      if (binding.fallback.has_value() && !binding.fallback->is_input) {
        read.insert(blueprint_.outputs[binding.fallback->target].node);
      }
    }
    makers[i].assign(read.begin(), read.end());
  }
  const StrongComponents components = FindStrongComponents(makers);
  std::vector<std::vector<int>> groups(components.count);
  for (size_t i = 0; i < count; ++i) {
    groups[components.of[i]].push_back(static_cast<int>(i));
  }
  // Kahn's algorithm over the groups, of those that are ready always the one
  // declared first.
  std::vector<std::vector<int>> readers(groups.size());
  std::vector<int> waiting(groups.size(), 0);
  for (size_t i = 0; i < count; ++i) {
    const int reader = components.of[i];
    for (int maker : makers[i]) {
      if (components.of[maker] == reader) continue;
      readers[components.of[maker]].push_back(reader);
      ++waiting[reader];
    }
  }
  using Ready = std::pair<int, int>;  // first node, group
  std::priority_queue<Ready, std::vector<Ready>, std::greater<Ready>> ready;
  for (size_t g = 0; g < groups.size(); ++g) {
    if (waiting[g] == 0) ready.push({groups[g][0], static_cast<int>(g)});
  }
  while (!ready.empty()) {
    int group = ready.top().second;
    ready.pop();
    blueprint_.node_groups.push_back(groups[group]);
    for (int reader : readers[group]) {
      if (--waiting[reader] == 0) ready.push({groups[reader][0], reader});
    }
  }
  return absl::OkStatus();
}

// True if every job of `reader` waits for a job of the node that it reads
// under `binding`, whatever the inputs are. A cycle of such bindings is one of
// jobs, too; others may end at the border of a dimension or at inactive jobs,
// which the graph finds out.
bool BlueprintParser::IsHard(const NodeDeclaration& reader,
                             const Binding& binding) const {
  if (binding.from.is_input) return false;
  const OutputDeclaration& output = blueprint_.outputs[binding.from.target];
  if (!reader.conditions.empty() ||
      !blueprint_.nodes[output.node].conditions.empty()) {
    return false;
  }
  for (size_t i = 0; i < binding.from.indices.size(); ++i) {
    const ReferenceIndex& index = binding.from.indices[i];
    bool is_nested = blueprint_.dimensions[output.dimensions[i]].within >= 0;
    if (index.offset != 0 || (index.is_constant && is_nested)) return false;
  }
  return true;
}

// Kahn's algorithm over nodes and hard bindings.
absl::Status BlueprintParser::FindHardCycles() const {
  size_t count = blueprint_.nodes.size();
  std::vector<std::vector<int>> readers(count);
  std::vector<int> waiting(count, 0);
  for (size_t i = 0; i < count; ++i) {
    for (const Binding& binding : blueprint_.nodes[i].bindings) {
      if (!IsHard(blueprint_.nodes[i], binding)) continue;
      readers[blueprint_.outputs[binding.from.target].node].push_back(
          static_cast<int>(i));
      ++waiting[i];
    }
  }
  std::vector<int> ready;
  for (size_t i = 0; i < count; ++i) {
    if (waiting[i] == 0) ready.push_back(static_cast<int>(i));
  }
  size_t done = 0;
  while (done < ready.size()) {
    for (int reader : readers[ready[done++]]) {
      if (--waiting[reader] == 0) ready.push_back(reader);
    }
  }
  return done == count ? absl::OkStatus() : CycleError(waiting);
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
      if (!IsHard(blueprint_.nodes[at], binding)) continue;
      int maker = blueprint_.outputs[binding.from.target].node;
      if (waiting[maker] == 0) continue;
      at = maker;
      break;
    }
  }
  path.erase(path.begin(), path.begin() + seen_at[at]);
  const std::string text = CycleText(
      &path, [this](int node) { return blueprint_.nodes[node].name; });
  const NodeDeclaration& first = blueprint_.nodes[path[0]];
  return Error(first.line, absl::StrCat("nodes.", first.name), text);
}

}  // namespace kinora

#include "services/planner/plan/deferred_groups.h"

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"

#include "services/planner/graph/element_walk.h"
#include "services/planner/graph/point_space.h"

namespace kinora {
namespace {

class GroupFinder {
 public:
  explicit GroupFinder(const Graph& graph)
      : graph_(graph), blueprint_(graph.blueprint()) {}

  std::vector<v1::DeferredGroup> Find() {
    for (size_t d = 0; d < blueprint_.dimensions.size(); ++d) FindDeciders(d);
    for (size_t n = 0; n < blueprint_.nodes.size(); ++n) {
      LookAtNode(static_cast<int>(n));
    }
    std::vector<v1::DeferredGroup> groups;
    for (auto& [name, found] : by_node_) Write(name, found, &groups);
    return groups;
  }

 private:
  struct Found {
    // Name of a dimension, or empty for a condition, and what decides it.
    std::set<std::pair<std::string, std::string>> waits_for;
    std::set<std::string> behind;
  };

  // The artefacts for which a dimension waits.
  void FindDeciders(size_t id) {
    const DimensionDeclaration& dimension = blueprint_.dimensions[id];
    const DimensionExtent& extent = graph_.shape().extents[id];
    std::vector<std::string>& deciders = deciders_.emplace_back();
    if (!extent.HasUnknown()) return;
    const OutputDeclaration& output = blueprint_.outputs[dimension.size_output];
    if (extent.is_unknown) {
      deciders.push_back(absl::StrCat("Artifact:", output.name));
      return;
    }
    const PointSpace above(blueprint_, graph_.shape().extents,
                           dimension.ancestors);
    for (uint32_t number = 0; number < above.volume(); ++number) {
      if (!extent.unknown[number]) continue;
      const std::vector<uint32_t> point = above.Point(number);
      std::string decider = absl::StrCat("Artifact:", output.name);
      for (int outer : output.dimensions) {
        size_t place = 0;
        while (dimension.ancestors[place] != outer) ++place;
        absl::StrAppend(&decider, "[", blueprint_.dimensions[outer].name, "=",
                        point[place], "]");
      }
      deciders.push_back(std::move(decider));
    }
  }

  void WaitForSizes(const PointSpace& space, Found* found) const {
    for (int dimension : space.dimensions()) {
      const std::string& name = blueprint_.dimensions[dimension].name;
      for (const std::string& decider : deciders_[dimension]) {
        found->waits_for.emplace(name, decider);
      }
    }
  }

  void LookAtNode(int node) {
    Found found;
    const PointSpace& space = graph_.SpaceOfNode(node);
    if (space.HasUnknown()) WaitForSizes(space, &found);
    const Graph::Job end = graph_.FirstJob(static_cast<size_t>(node) + 1);
    bool any = space.HasUnknown();
    for (Graph::Job job = graph_.FirstJob(static_cast<size_t>(node));
         job < end && graph_.num_deferred_jobs() > 0; ++job) {
      if (!graph_.IsDeferred(job)) continue;
      if (!graph_.IsDecided(node, job)) WaitForConditions(node, job, &found);
      if (!any) WaitForWhatIsReadOrMade(node, &found);
      any = true;
      const size_t bindings = blueprint_.nodes[node].bindings.size();
      for (size_t b = 0; b < bindings; ++b) {
        for (Graph::Element source : graph_.Sources(node, job, b)) {
          if (graph_.IsInput(source)) continue;
          const Graph::Job maker = graph_.MakerOf(source);
          if (!graph_.IsDeferred(maker)) continue;
          found.behind.insert(blueprint_.nodes[graph_.NodeOf(maker)].name);
        }
      }
    }
    if (any) by_node_[blueprint_.nodes[node].name] = std::move(found);
  }

  void WaitForConditions(int node, Graph::Job job, Found* found) const {
    const NodeDeclaration& declaration = blueprint_.nodes[node];
    const std::vector<uint32_t> point = graph_.JobPoint(node, job);
    for (const Condition& condition : declaration.conditions) {
      if (condition.value.is_input) continue;
      const PointSpace& space = graph_.SpaceOfTarget(condition.value);
      const ElementWalk walk(space, declaration.over, condition.value.indices);
      if (walk.MeetsUnknown(point)) WaitForSizes(space, found);
      std::vector<uint32_t> elements;
      walk.Append(
          graph_.FirstArtefact(static_cast<size_t>(condition.value.target)),
          point, &elements);
      for (Graph::Element element : elements) {
        std::string id = graph_.ElementIdOf(element);
        if (graph_.shape().unknown.contains(id)) {
          found->waits_for.emplace("", std::move(id));
        }
      }
    }
  }

  void WaitForWhatIsReadOrMade(int node, Found* found) const {
    const NodeDeclaration& declaration = blueprint_.nodes[node];
    for (int output : declaration.outputs) {
      Reference made;
      made.target = output;
      WaitForSizes(graph_.SpaceOfTarget(made), found);
    }
    for (const Binding& binding : declaration.bindings) {
      WaitForSizes(graph_.SpaceOfTarget(binding.from), found);
      if (!binding.fallback.has_value()) continue;
      WaitForSizes(graph_.SpaceOfTarget(*binding.fallback), found);
    }
  }

  static void Write(const std::string& node, const Found& found,
                    std::vector<v1::DeferredGroup>* groups) {
    for (const auto& [dimension, decider] : found.waits_for) {
      v1::DeferredGroup& group = groups->emplace_back();
      group.set_node(node);
      group.set_dimension(dimension);
      group.set_sized_by_artefact_id(decider);
      group.set_is_condition(dimension.empty());
    }
    if (!found.waits_for.empty()) return;
    v1::DeferredGroup& group = groups->emplace_back();
    group.set_node(node);
    for (const std::string& behind : found.behind) {
      group.add_behind_nodes(behind);
    }
  }

  const Graph& graph_;
  const Blueprint& blueprint_;
  std::vector<std::vector<std::string>> deciders_;  // by dimension
  std::map<std::string, Found> by_node_;
};

}  // namespace

std::vector<v1::DeferredGroup> DeferredGroups(const Graph& graph) {
  if (graph.shape().unknown.empty()) return {};
  return GroupFinder(graph).Find();
}

}  // namespace kinora

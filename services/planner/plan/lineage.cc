#include "services/planner/plan/lineage.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "services/planner/graph/element_walk.h"

namespace kinora {
namespace {

class LineageWalk {
 public:
  explicit LineageWalk(const Graph& graph)
      : graph_(graph), blueprint_(graph.blueprint()) {
    lineage_.jobs = JobSet(graph.num_jobs());
    switched_off_ = JobSet(graph.num_jobs());
    for (const NodeDeclaration& node : blueprint_.nodes) {
      is_decided_.push_back(IsSwitchedByArtefacts(node));
    }
  }

  Lineage Walk(const NamedArtefacts& artefacts) {
    for (Graph::Element artefact : artefacts.found) Add(artefact);
    for (Graph::Element artefact : artefacts.switched_off) Add(artefact);
    for (int output : artefacts.whole) {
      AddSizes(blueprint_.outputs[output].dimensions, {}, {}, {});
    }
    for (const NamedArtefacts::ToCome& artefact : artefacts.to_come) {
      lineage_.open_end = artefact.id;
      AddSizes(blueprint_.outputs[artefact.output].dimensions, artefact.indices,
               {}, {});
    }
    while (!stack_.empty()) {
      const Graph::Job job = stack_.back();
      stack_.pop_back();
      AddUpstream(graph_.NodeOf(job), job);
    }
    return std::move(lineage_);
  }

 private:
  void Add(Graph::Element artefact) {
    if (!graph_.Exists(artefact)) {
      AddWhatSwitchesOff(artefact);
      return;
    }
    const Graph::Job maker = graph_.MakerOf(artefact);
    if (lineage_.jobs.Contains(maker)) return;
    lineage_.jobs.Add(maker);
    stack_.push_back(maker);
    if (graph_.IsDeferred(maker)) {
      lineage_.open_end = graph_.ElementIdOf(artefact);
    }
  }

  // That there is no such artefact was decided, too; else what belongs to a
  // lineage would hang on itself.
  void AddWhatSwitchesOff(Graph::Element artefact) {
    const OutputDeclaration& output =
        blueprint_.outputs[graph_.OutputOf(artefact)];
    if (!is_decided_[output.node]) return;
    const std::vector<uint32_t> own =
        ProjectPoint(graph_.ElementPoint(artefact), output.dimensions,
                     blueprint_.nodes[output.node].over);
    const std::optional<uint32_t> number =
        graph_.SpaceOfNode(output.node).Number(own);
    if (!number.has_value()) return;
    const Graph::Job job =
        graph_.FirstJob(static_cast<size_t>(output.node)) + *number;
    if (switched_off_.Contains(job)) return;
    switched_off_.Add(job);
    AddConditions(blueprint_.nodes[output.node], own);
  }

  void AddConditions(const NodeDeclaration& node,
                     const std::vector<uint32_t>& point) {
    for (const Condition& condition : node.conditions) {
      if (condition.value.is_input) continue;
      AddElements(condition.value.target, condition.value.indices, node.over,
                  point);
    }
  }

  void AddUpstream(int node, Graph::Job job) {
    const NodeDeclaration& declaration = blueprint_.nodes[node];
    for (size_t b = 0; b < declaration.bindings.size(); ++b) {
      for (Graph::Element source : graph_.Sources(node, job, b)) {
        if (!graph_.IsInput(source)) Add(source);
      }
    }
    if (blueprint_.deciding_outputs.empty()) return;
    const std::vector<uint32_t> point = graph_.JobPoint(node, job);
    AddConditions(declaration, point);
    AddSizes(declaration.over, {}, declaration.over, point);
    for (int output : declaration.outputs) {
      AddSizes(blueprint_.outputs[output].dimensions, {}, declaration.over,
               point);
    }
    for (const Binding& binding : declaration.bindings) {
      AddDecidersOf(binding.from, declaration.over, point);
      if (binding.fallback.has_value()) {
        AddDecidersOf(*binding.fallback, declaration.over, point);
      }
    }
  }

  // Of what a job reads: how much there is of it, and what of it is there.
  void AddDecidersOf(const Reference& read, const std::vector<int>& own,
                     const std::vector<uint32_t>& point) {
    AddSizes(blueprint_.DimensionsOf(read), read.indices, own, point);
    if (!read.is_input && is_decided_[blueprint_.outputs[read.target].node]) {
      AddElements(read.target, read.indices, own, point);
    }
  }

  // What sizes these dimensions where the indices lead.
  void AddSizes(const std::vector<int>& dimensions,
                const std::vector<ReferenceIndex>& indices,
                const std::vector<int>& own,
                const std::vector<uint32_t>& point) {
    for (int dimension : dimensions) {
      const int sizing = blueprint_.dimensions[dimension].size_output;
      if (sizing < 0) continue;
      // It has some of the dimensions that this one is nested in.
      std::vector<ReferenceIndex> there;
      if (!indices.empty()) {
        for (int outer : blueprint_.outputs[sizing].dimensions) {
          const auto place =
              std::find(dimensions.begin(), dimensions.end(), outer);
          there.push_back(indices[place - dimensions.begin()]);
        }
      }
      AddElements(sizing, there, own, point);
    }
  }

  void AddElements(int output, const std::vector<ReferenceIndex>& indices,
                   const std::vector<int>& own,
                   const std::vector<uint32_t>& point) {
    Reference artefacts;
    artefacts.target = output;
    std::vector<Graph::Element> elements;
    ElementWalk(graph_.SpaceOfTarget(artefacts), own, indices)
        .Append(graph_.FirstArtefact(static_cast<size_t>(output)), point,
                &elements);
    for (Graph::Element element : elements) Add(element);
  }

  const Graph& graph_;
  const Blueprint& blueprint_;
  std::vector<bool> is_decided_;  // by node: artefacts switch its jobs on
  Lineage lineage_;
  JobSet switched_off_;  // jobs that were looked at
  std::vector<Graph::Job> stack_;
};

class NodeWalk {
 public:
  explicit NodeWalk(const Blueprint& blueprint)
      : blueprint_(blueprint), behind_(blueprint.nodes.size(), false) {}

  void AddOutput(int output) {
    const int node = blueprint_.outputs[output].node;
    if (behind_[node]) return;
    behind_[node] = true;
    stack_.push_back(node);
  }

  std::vector<bool> Walk() {
    while (!stack_.empty()) {
      const NodeDeclaration& node = blueprint_.nodes[stack_.back()];
      stack_.pop_back();
      AddSizes(node.over);
      for (const Condition& condition : node.conditions) Add(condition.value);
      for (int output : node.outputs) {
        AddSizes(blueprint_.outputs[output].dimensions);
      }
      for (const Binding& binding : node.bindings) {
        Add(binding.from);
        if (binding.fallback.has_value()) Add(*binding.fallback);
      }
    }
    return std::move(behind_);
  }

 private:
  void Add(const Reference& read) {
    if (read.is_input) {
      AddSizes(blueprint_.inputs[read.target].over);
      return;
    }
    AddOutput(read.target);
    AddSizes(blueprint_.outputs[read.target].dimensions);
  }

  void AddSizes(const std::vector<int>& dimensions) {
    for (int dimension : dimensions) {
      const int sizing = blueprint_.dimensions[dimension].size_output;
      if (sizing >= 0) AddOutput(sizing);
    }
  }

  const Blueprint& blueprint_;
  std::vector<bool> behind_;
  std::vector<int> stack_;
};

}  // namespace

bool IsSwitchedByArtefacts(const NodeDeclaration& node) {
  return std::any_of(
      node.conditions.begin(), node.conditions.end(),
      [](const Condition& condition) { return !condition.value.is_input; });
}

Lineage LineageOf(const Graph& graph, const NamedArtefacts& artefacts) {
  return LineageWalk(graph).Walk(artefacts);
}

std::vector<bool> NodesBehind(const Graph& graph,
                              const NamedArtefacts& artefacts) {
  NodeWalk walk(graph.blueprint());
  for (Graph::Element artefact : artefacts.found) {
    walk.AddOutput(graph.OutputOf(artefact));
  }
  for (const NamedArtefacts::ToCome& artefact : artefacts.to_come) {
    walk.AddOutput(artefact.output);
  }
  return walk.Walk();
}

}  // namespace kinora

#include "services/planner/plan/lineage.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "services/planner/graph/element_walk.h"

namespace kinora {
namespace {

// Jobs to come that are looked at each for itself. A job may read the one
// before or after it, and how many there will be is not known: of a chain that
// is longer all jobs of the node are taken.
constexpr size_t kMaxSingleJobs = 1'000;

class LineageWalk {
 public:
  LineageWalk(const Graph& graph, bool ahead)
      : graph_(graph), blueprint_(graph.blueprint()), ahead_(ahead) {
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
      if (ahead_) AddAhead(artefact);
    }
    while (!stack_.empty() || !stack_ahead_.empty()) {
      if (stack_.empty()) {
        const JobsAhead jobs = std::move(stack_ahead_.back());
        stack_ahead_.pop_back();
        AddUpstreamAhead(jobs.first, jobs.second);
        continue;
      }
      const Graph::Job job = stack_.back();
      stack_.pop_back();
      AddUpstream(graph_.NodeOf(job), job);
    }
    return std::move(lineage_);
  }

 private:
  // The point of a job, as far as it is known.
  using PartialPoint = std::vector<std::optional<uint32_t>>;
  // Jobs of a node that are to come.
  using JobsAhead = std::pair<int, PartialPoint>;

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
    const NodeDeclaration& node = blueprint_.nodes[output.node];
    AddConditions(node, node.over, own);
  }

  void AddAhead(const NamedArtefacts::ToCome& artefact) {
    Reference read;
    read.target = artefact.output;
    read.indices = artefact.indices;
    AddMakersAhead(read, {}, {});
  }

  void AddJobsAhead(int node, PartialPoint point) {
    JobsAhead jobs(node, std::move(point));
    if (seen_ahead_.insert(jobs).second) {
      stack_ahead_.push_back(std::move(jobs));
    }
  }

  // Of what jobs to come read, some is to come, too.
  void AddUpstreamAhead(int node, const PartialPoint& point) {
    const NodeDeclaration& declaration = blueprint_.nodes[node];
    std::vector<int> own;
    std::vector<uint32_t> known;
    for (size_t i = 0; i < point.size(); ++i) {
      if (!point[i].has_value()) continue;
      own.push_back(declaration.over[i]);
      known.push_back(*point[i]);
    }
    for (const Binding& binding : declaration.bindings) {
      for (const Reference* read : {&binding.from, FallbackOf(binding)}) {
        if (read == nullptr || read->is_input) continue;
        AddElements(read->target, read->indices, own, known);
        AddReadAhead(*read, own, known);
      }
    }
    AddDeciders(declaration, own, known);
  }

  // What of it is to come.
  void AddReadAhead(const Reference& read, const std::vector<int>& own,
                    const std::vector<uint32_t>& point) {
    if (read.is_input ||
        !ElementWalk(graph_.SpaceOfTarget(read), own, read.indices)
             .MeetsUnknown(point)) {
      return;
    }
    AddMakersAhead(read, own, point);
  }

  void AddMakersAhead(const Reference& read, const std::vector<int>& own,
                      const std::vector<uint32_t>& point) {
    const OutputDeclaration& output = blueprint_.outputs[read.target];
    PartialPoint there;
    for (int dimension : blueprint_.nodes[output.node].over) {
      std::optional<uint32_t>& index = there.emplace_back();
      const auto place = std::find(output.dimensions.begin(),
                                   output.dimensions.end(), dimension);
      ReferenceIndex given;
      if (!read.indices.empty()) {
        given = read.indices[place - output.dimensions.begin()];
      }
      const auto mine = std::find(own.begin(), own.end(), dimension);
      if (given.is_constant) {
        index = given.constant;
      } else if (mine != own.end()) {
        const int64_t at = given.At(point[mine - own.begin()]);
        if (at < 0) return;
        if (given.offset == 0 || seen_ahead_.size() < kMaxSingleJobs) {
          index = static_cast<uint32_t>(at);
        }
      }
      if (index.has_value() && *index >= kMaxDimensionSize) return;
    }
    AddJobsAhead(output.node, std::move(there));
  }

  static const Reference* FallbackOf(const Binding& binding) {
    return binding.fallback.has_value() ? &*binding.fallback : nullptr;
  }

  void AddConditions(const NodeDeclaration& node, const std::vector<int>& own,
                     const std::vector<uint32_t>& point) {
    for (const Condition& condition : node.conditions) {
      if (condition.value.is_input) continue;
      AddElements(condition.value.target, condition.value.indices, own, point);
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
    AddDeciders(declaration, declaration.over, point);
    if (!ahead_ || !graph_.IsDeferred(job)) return;
    for (const Binding& binding : declaration.bindings) {
      for (const Reference* read : {&binding.from, FallbackOf(binding)}) {
        if (read != nullptr) AddReadAhead(*read, declaration.over, point);
      }
    }
  }

  void AddDeciders(const NodeDeclaration& declaration,
                   const std::vector<int>& own,
                   const std::vector<uint32_t>& point) {
    AddConditions(declaration, own, point);
    AddSizes(declaration.over, {}, own, point);
    for (int output : declaration.outputs) {
      AddSizes(blueprint_.outputs[output].dimensions, {}, own, point);
    }
    for (const Binding& binding : declaration.bindings) {
      AddDecidersOf(binding.from, own, point);
      if (binding.fallback.has_value()) {
        AddDecidersOf(*binding.fallback, own, point);
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
  const bool ahead_;
  std::vector<bool> is_decided_;  // by node: artefacts switch its jobs on
  Lineage lineage_;
  JobSet switched_off_;  // jobs that were looked at
  std::vector<Graph::Job> stack_;
  std::set<JobsAhead> seen_ahead_;
  std::vector<JobsAhead> stack_ahead_;
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
  return LineageWalk(graph, false).Walk(artefacts);
}

Lineage LineageAheadOf(const Graph& graph, const NamedArtefacts& artefacts) {
  return LineageWalk(graph, true).Walk(artefacts);
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

#include "services/planner/graph/drawing.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/element_id.h"
#include "common/error_reason.h"
#include "services/planner/graph/element_walk.h"

namespace kinora {
namespace {

constexpr size_t kMaxParts = 20'000;

// Puts a drawing together; boxes are known by name until all are there.
class Drawer {
 public:
  Drawer(const Graph& graph, bool folded)
      : graph_(graph), blueprint_(graph.blueprint()), folded_(folded) {
    for (size_t n = 0; n < blueprint_.nodes.size(); ++n) {
      deferred_.push_back(CountDeferred(static_cast<int>(n)));
      dimensions_.push_back(DimensionsOf(blueprint_.nodes[n]));
    }
    for (const std::string& id : graph.shape().unknown) {
      const absl::StatusOr<ElementId> parsed = ElementId::Parse(id);
      if (parsed.ok()) missing_.insert(blueprint_.FindOutput(parsed->name));
    }
  }

  // Nullopt as soon as there are more than `limit` boxes and arrows.
  std::optional<Drawing> Run(size_t limit) {
    limit_ = limit;
    for (size_t n = 0; n < blueprint_.nodes.size() && !IsFull(); ++n) {
      AddNode(static_cast<int>(n));
    }
    if (IsFull()) return std::nullopt;
    return Finish();
  }

 private:
  // What one name stands for, and its place in the drawing.
  struct Placed {
    Box box;
    std::tuple<int, uint32_t, int> place;
    uint32_t jobs = 0;  // of a folded one
  };

  bool IsFull() const {
    return boxes_.size() + reads_.size() + decides_.size() > limit_;
  }

  static std::string Times(uint32_t count) {
    return count == 1 ? "" : absl::StrCat(" x", count);
  }

  // Deferred jobs; nullopt if there are none, 0 if nobody knows how many.
  std::optional<uint32_t> CountDeferred(int node) const {
    if (graph_.SpaceOfNode(node).HasUnknown()) return 0;
    uint32_t count = 0;
    const size_t n = static_cast<size_t>(node);
    for (Graph::Job job = graph_.FirstJob(n);
         job < graph_.FirstJob(n + 1) && graph_.num_deferred_jobs() > 0;
         ++job) {
      if (graph_.IsDeferred(job)) ++count;
    }
    return count == 0 ? std::nullopt : std::make_optional(count);
  }

  // Those that its jobs or what they make are over.
  std::set<int> DimensionsOf(const NodeDeclaration& node) const {
    std::set<int> dimensions(node.over.begin(), node.over.end());
    for (int output : node.outputs) {
      const std::vector<int>& own = blueprint_.outputs[output].own_over;
      dimensions.insert(own.begin(), own.end());
    }
    return dimensions;
  }

  bool IsKnown(int node, Graph::Job job) const {
    return graph_.IsActive(node, job) && !graph_.IsDeferred(job);
  }

  void AddNode(int node) {
    const NodeDeclaration& declaration = blueprint_.nodes[node];
    const size_t n = static_cast<size_t>(node);
    for (Graph::Job job = graph_.FirstJob(n);
         job < graph_.FirstJob(n + 1) && !IsFull(); ++job) {
      if (!IsKnown(node, job)) continue;
      const std::string name = AddJob(node, job);
      const bool is_first = ++boxes_[name].jobs == 1;
      for (size_t b = 0; b < declaration.bindings.size(); ++b) {
        for (Graph::Element source : graph_.Sources(node, job, b)) {
          reads_.emplace(AddSource(source), name);
          if (IsFull()) return;
        }
      }
      if (!folded_) {
        AddDeciders(node, job, name);
      } else if (is_first) {
        AddAllDeciders(node, name);
      }
    }
    if (deferred_[n].has_value()) AddDeferred(node);
  }

  // All deferred jobs of the node; nobody knows what each of them reads.
  void AddDeferred(int node) {
    const NodeDeclaration& declaration = blueprint_.nodes[node];
    const std::string name = AddDeferredBox(node);
    for (const Binding& binding : declaration.bindings) {
      for (const std::string& from : AddAll(binding.from)) {
        reads_.emplace(from, name);
      }
      if (!binding.fallback.has_value()) continue;
      for (const std::string& from : AddAll(*binding.fallback)) {
        reads_.emplace(from, name);
      }
    }
    AddAllDeciders(node, name);
  }

  static std::string Sizes(const DimensionDeclaration& dimension) {
    return absl::StrCat("sizes ", dimension.name);
  }

  // What decides about one job.
  void AddDeciders(int node, Graph::Job job, const std::string& name) {
    const NodeDeclaration& declaration = blueprint_.nodes[node];
    std::vector<uint32_t> point;
    const auto add = [&](const Reference& value, const std::string& what) {
      if (point.empty()) point = graph_.JobPoint(node, job);
      std::vector<uint32_t> elements;
      ElementWalk(graph_.SpaceOfTarget(value), declaration.over, value.indices)
          .Append(FirstOf(value), point, &elements);
      for (Graph::Element element : elements) {
        if (!graph_.Exists(element) || IsFull()) continue;
        decides_[{AddSource(element), name}].insert(what);
      }
    };
    for (int dimension : dimensions_[static_cast<size_t>(node)]) {
      const std::optional<Reference> size = SizeOf(dimension);
      if (size.has_value()) {
        add(*size, Sizes(blueprint_.dimensions[dimension]));
      }
    }
    for (const Condition& condition : declaration.conditions) {
      add(condition.value, "if");
    }
  }

  // What decides about any job of the node.
  void AddAllDeciders(int node, const std::string& name) {
    for (int dimension : dimensions_[static_cast<size_t>(node)]) {
      const std::optional<Reference> size = SizeOf(dimension);
      if (!size.has_value()) continue;
      for (const std::string& from : AddAll(*size)) {
        decides_[{from, name}].insert(Sizes(blueprint_.dimensions[dimension]));
      }
    }
    for (const Condition& condition : blueprint_.nodes[node].conditions) {
      for (const std::string& from : AddAll(condition.value)) {
        decides_[{from, name}].insert("if");
      }
    }
  }

  std::optional<Reference> SizeOf(int dimension) const {
    const DimensionDeclaration& declaration = blueprint_.dimensions[dimension];
    Reference size;
    size.is_input = declaration.size_input >= 0;
    size.target =
        size.is_input ? declaration.size_input : declaration.size_output;
    return size.target < 0 ? std::nullopt : std::make_optional(size);
  }

  Graph::Element FirstOf(const Reference& value) const {
    const size_t target = static_cast<size_t>(value.target);
    return value.is_input ? graph_.FirstInput(target)
                          : graph_.FirstArtefact(target);
  }

  // The boxes of all values of an input, or of all jobs that make an output.
  std::set<std::string> AddAll(const Reference& value) {
    std::set<std::string> names;
    if (value.is_input) {
      const Graph::Element end =
          graph_.FirstInput(static_cast<size_t>(value.target) + 1);
      for (Graph::Element e = FirstOf(value); e < end && !IsFull(); ++e) {
        names.insert(AddSource(e));
        if (folded_) break;
      }
      return names;
    }
    const int node = blueprint_.outputs[value.target].node;
    const size_t n = static_cast<size_t>(node);
    for (Graph::Job job = graph_.FirstJob(n);
         job < graph_.FirstJob(n + 1) && !IsFull(); ++job) {
      if (!IsKnown(node, job)) continue;
      names.insert(AddJob(node, job));
      if (folded_) break;
    }
    if (deferred_[n].has_value()) names.insert(AddDeferredBox(node));
    return names;
  }

  std::string AddJob(int node, Graph::Job job) {
    std::string name =
        folded_ ? absl::StrCat("n", node) : absl::StrCat("j", job);
    Placed& placed = boxes_[name];
    if (!placed.box.name.empty()) return name;
    placed.box.name = name;
    placed.box.label =
        folded_ ? blueprint_.nodes[node].name : graph_.JobIdOf(node, job);
    placed.place = {1, folded_ ? static_cast<uint32_t>(node) : job, 0};
    return name;
  }

  // Beside the node's other jobs.
  std::string AddDeferredBox(int node) {
    std::string name = absl::StrCat("d", node);
    Placed& placed = boxes_[name];
    if (!placed.box.name.empty()) return name;
    placed.box.name = name;
    placed.box.is_deferred = true;
    const size_t n = static_cast<size_t>(node);
    placed.box.label =
        absl::StrCat(blueprint_.nodes[node].name,
                     *deferred_[n] == 0 ? "" : Times(*deferred_[n]),
                     ": waits for ", WhatItWaitsFor(node));
    placed.place = {
        1, folded_ ? static_cast<uint32_t>(node) : graph_.FirstJob(n + 1),
        folded_ ? 1 : node - static_cast<int>(deferred_.size())};
    return name;
  }

  // The artefacts that are missing, or the nodes upstream that wait for some.
  std::string WhatItWaitsFor(int node) const {
    const NodeDeclaration& declaration = blueprint_.nodes[node];
    std::set<std::string> artefacts;
    std::set<std::string> nodes;
    const auto add = [&](int output) {
      if (missing_.contains(output)) {
        artefacts.insert(blueprint_.outputs[output].name);
      }
    };
    const auto add_sizes = [&](const std::vector<int>& dimensions) {
      for (int d : dimensions) add(blueprint_.dimensions[d].size_output);
    };
    const auto add_read = [&](const Reference& read) {
      if (read.is_input) {
        add_sizes(blueprint_.inputs[read.target].over);
        return;
      }
      const OutputDeclaration& output = blueprint_.outputs[read.target];
      add_sizes(output.dimensions);
      if (output.node != node && deferred_[output.node].has_value()) {
        nodes.insert(blueprint_.nodes[output.node].name);
      }
    };
    add_sizes(declaration.over);
    for (int output : declaration.outputs) {
      add_sizes(blueprint_.outputs[output].dimensions);
    }
    for (const Condition& condition : declaration.conditions) {
      if (!condition.value.is_input) add(condition.value.target);
      add_read(condition.value);
    }
    for (const Binding& binding : declaration.bindings) {
      add_read(binding.from);
      if (binding.fallback.has_value()) add_read(*binding.fallback);
    }
    return artefacts.empty() ? absl::StrCat("node ", absl::StrJoin(nodes, ", "))
                             : absl::StrJoin(artefacts, ", ");
  }

  std::string AddSource(Graph::Element source) {
    if (!graph_.IsInput(source)) {
      const Graph::Job maker = graph_.MakerOf(source);
      return AddJob(graph_.NodeOf(maker), maker);
    }
    const int input = graph_.InputOf(source);
    std::string name =
        folded_ ? absl::StrCat("i", input) : absl::StrCat("i", source);
    Placed& placed = boxes_[name];
    if (!placed.box.name.empty()) return name;
    placed.box.name = name;
    placed.box.is_input = true;
    placed.box.label =
        folded_ ? absl::StrCat("Input:", blueprint_.inputs[input].name,
                               Times(graph_.FirstInput(input + 1) -
                                     graph_.FirstInput(input)))
                : graph_.ElementIdOf(source);
    placed.place = {0, folded_ ? static_cast<uint32_t>(input) : source, 0};
    return name;
  }

  Drawing Finish() {
    Drawing drawing;
    drawing.title = blueprint_.name;
    drawing.folded = folded_;
    std::vector<Placed*> placed;
    for (auto& [name, box] : boxes_) placed.push_back(&box);
    std::sort(
        placed.begin(), placed.end(),
        [](const Placed* a, const Placed* b) { return a->place < b->place; });
    std::map<std::string, size_t> at;
    for (Placed* box : placed) {
      if (folded_ && !box->box.is_input && !box->box.is_deferred) {
        box->box.label += Times(box->jobs);
      }
      at[box->box.name] = drawing.boxes.size();
      drawing.boxes.push_back(std::move(box->box));
    }
    for (const auto& [from, to] : reads_) {
      drawing.arrows.push_back({at[from], at[to], ""});
    }
    for (const auto& [ends, what] : decides_) {
      drawing.arrows.push_back(
          {at[ends.first], at[ends.second], absl::StrJoin(what, ", ")});
    }
    std::sort(drawing.arrows.begin(), drawing.arrows.end(),
              [](const Arrow& a, const Arrow& b) {
                return std::tie(a.from, a.to, a.decides) <
                       std::tie(b.from, b.to, b.decides);
              });
    return drawing;
  }

  const Graph& graph_;
  const Blueprint& blueprint_;
  const bool folded_;
  size_t limit_ = 0;
  // By node.
  std::vector<std::optional<uint32_t>> deferred_;
  std::vector<std::set<int>> dimensions_;
  std::set<int> missing_;  // deciding outputs of which some artefacts are
  std::map<std::string, Placed> boxes_;
  std::set<std::pair<std::string, std::string>> reads_;
  std::map<std::pair<std::string, std::string>, std::set<std::string>> decides_;
};

}  // namespace

absl::StatusOr<Drawing> Draw(const Graph& graph, int fold_above) {
  size_t limit = kMaxParts;
  if (fold_above >= 0) {
    limit = std::min(
        limit,
        static_cast<size_t>(fold_above == 0 ? kDefaultFoldAbove : fold_above));
  }
  std::optional<Drawing> drawing = Drawer(graph, false).Run(limit);
  if (!drawing.has_value() && fold_above >= 0) {
    drawing = Drawer(graph, true).Run(kMaxParts);
  }
  if (drawing.has_value()) return *std::move(drawing);
  return WithReason(
      absl::FailedPreconditionError(absl::StrCat(
          "the graph has more than ", kMaxParts, " boxes and arrows to draw")),
      "LIMIT_EXCEEDED");
}

}  // namespace kinora

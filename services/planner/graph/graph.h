// A Graph is a blueprint expanded over its dimensions: every input value, job
// and artefact as an integer, and what each job reads and makes in flat arrays
// (compressed rows). A million jobs take some tens of bytes each; ids become
// text only for what is shown or stored.
//
// Elements are inputs, numbered from 0, then artefacts. Within a declaration,
// points are numbered with the last dimension fastest, and declarations follow
// one another in the blueprint's order.
//
// Jobs that a condition switches off have their numbers, but read and make
// nothing, and what they would make does not exist.
//
// Where a size or a condition is not known yet, because the artefact that
// decides it has still to be made, the graph is that of what is known: a
// dimension without a size has no points. Jobs that such a thing may concern,
// in what they read or make or in whether they are active, and all downstream
// of those are *deferred*: what the graph says of them is not final.

#ifndef KINORA_SERVICES_PLANNER_GRAPH_GRAPH_H_
#define KINORA_SERVICES_PLANNER_GRAPH_GRAPH_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "common/element_id.h"
#include "services/planner/blueprint/blueprint.h"
#include "services/planner/graph/point_space.h"

namespace kinora {

inline constexpr uint64_t kMaxGraphEdges = 50000000;

class ElementWalk;

// What a graph depends on beside its blueprint: equal shapes of one blueprint
// give equal graphs.
struct GraphShape {
  std::vector<DimensionExtent> extents;  // by dimension
  // By node, then by job of the node: true if it is inactive. Nodes at the end
  // may be left out and a node's jobs, too, if all of them are active.
  std::vector<std::vector<bool>> inactive;
  // The same for jobs of which it is not known yet whether they are active.
  std::vector<std::vector<bool>> undecided;
  // Ids of the deciding artefacts that are missing.
  std::set<std::string> unknown;

  friend bool operator==(const GraphShape&, const GraphShape&) = default;
};

// Immutable, hence thread-safe.
class Graph {
 public:
  using Job = uint32_t;
  using Element = uint32_t;

  // Some jobs of one node: `first` up to `end`.
  struct JobRun {
    int node = 0;
    Job first = 0;
    Job end = 0;
    bool is_parallel = false;  // none reads what another of them makes
  };

  // The blueprint MUST outlive the graph. FAILED_PRECONDITION
  // (BLUEPRINT_INVALID) if the graph would be too large, a constant index is
  // beyond its dimension, or a job would have to wait for itself.
  static absl::StatusOr<Graph> Expand(const Blueprint& blueprint,
                                      GraphShape shape);

  const Blueprint& blueprint() const { return *blueprint_; }
  uint32_t num_jobs() const { return job_begin_.back(); }
  uint32_t num_inputs() const { return input_begin_.back(); }
  uint32_t num_elements() const { return output_begin_.back(); }
  uint32_t num_artefacts() const { return num_elements() - num_inputs(); }
  uint32_t num_inactive_jobs() const { return num_inactive_jobs_; }
  uint32_t num_deferred_jobs() const { return num_deferred_jobs_; }
  const GraphShape& shape() const { return shape_; }
  bool IsInput(Element element) const { return element < num_inputs(); }

  // All jobs, each after those it reads from; in one run per node where nodes
  // have an order.
  absl::Span<const JobRun> order() const { return order_; }

  // Jobs of a node: FirstJob(node) up to FirstJob(node + 1).
  Job FirstJob(size_t node) const { return job_begin_[node]; }
  // Elements of an input declaration, likewise.
  Element FirstInput(size_t input) const { return input_begin_[input]; }
  Element FirstArtefact(size_t output) const { return output_begin_[output]; }

  int NodeOf(Job job) const;
  int InputOf(Element input) const;
  int OutputOf(Element artefact) const;

  // What a job reads under the node's binding of that position, in order. A
  // binding that is no fan-in has none where it is absent.
  absl::Span<const Element> Sources(int node, Job job, size_t binding) const;

  // Of a fan-in in groups, how many of the sources each group has.
  std::vector<uint32_t> GroupSizes(int node, Job job, size_t binding) const;

  // What a job makes: output by output, then by index.
  absl::Span<const Element> Artefacts(int node, Job job) const {
    (void)node;
    return absl::MakeConstSpan(made_).subspan(
        made_row_[job], made_row_[job + 1] - made_row_[job]);
  }

  // False for a job that a condition switches off, and what it would make.
  bool IsActive(int node, Job job) const;
  // False while it is not known whether a condition switches it off; until then
  // it counts as active.
  bool IsDecided(int node, Job job) const;
  bool IsDeferred(Job job) const {
    return num_deferred_jobs_ > 0 && deferred_[job];
  }
  bool Exists(Element element) const {
    return IsInput(element) || makers_[element - num_inputs()] != kNobody;
  }

  // The job that makes an artefact. REQUIRES: Exists(artefact).
  Job MakerOf(Element artefact) const {
    return makers_[artefact - num_inputs()];
  }

  // The points of a node's jobs.
  const PointSpace& SpaceOfNode(int node) const { return NodeSpace(node); }
  // The points of what a reference means.
  const PointSpace& SpaceOfTarget(const Reference& reference) const {
    return TargetSpace(reference);
  }

  // Coordinates in the dimensions of the node, input or output.
  std::vector<uint32_t> JobPoint(int node, Job job) const;
  std::vector<uint32_t> ElementPoint(Element element) const;

  // `Narration[segment=0]`, `Artifact:Audio[segment=0]`.
  std::string JobIdOf(int node, Job job) const;
  std::string ElementIdOf(Element element) const;

  // The same, appended to `out`.
  void AppendJobId(int node, Job job, std::string* out) const;
  void AppendElementId(Element element, std::string* out) const;

  // The element of that id; nullopt if there is none.
  std::optional<Element> Find(const ElementId& id) const;
  // The same of text; nullopt also if it is not the id of an artefact.
  std::optional<Element> FindArtefact(absl::string_view id) const;

  // Whether `id` is an artefact that a condition switches off: it would exist
  // otherwise.
  bool IsSwitchedOff(const ElementId& id) const;

  // The job of the node and coordinates that `id` names, be its kind what it
  // may; nullopt if there is none, or a condition switches it off.
  std::optional<Job> FindJob(const ElementId& id) const;

  // The artefact of an output at that point, which has one coordinate for each
  // of the output's dimensions; nullopt if there is none.
  std::optional<Element> ArtefactAt(int output,
                                    absl::Span<const uint32_t> point) const;

 private:
  static constexpr Job kNobody = UINT32_MAX;

  Graph(const Blueprint& blueprint, GraphShape shape)
      : blueprint_(&blueprint), shape_(std::move(shape)) {}

  absl::Status CountAll();
  int SpaceOf(const std::vector<int>& dimensions);
  const PointSpace& NodeSpace(int node) const {
    return spaces_[node_space_[node]];
  }
  const PointSpace& TargetSpace(const Reference& reference) const {
    return spaces_[reference.is_input ? input_space_[reference.target]
                                      : output_space_[reference.target]];
  }
  Element FirstOf(const Reference& reference) const {
    return reference.is_input ? input_begin_[reference.target]
                              : output_begin_[reference.target];
  }

  // graph_groups.cc
  void AddGroupSpaces();
  ElementWalk GroupWalk(const NodeDeclaration& node,
                        const Binding& binding) const;
  uint32_t NumberOfGroups(int node, Job job, const Binding& binding) const;

  // graph_links.cc
  absl::Status Link();
  absl::Status LinkNode(int node, uint64_t* edges);
  absl::Status CheckConstants(const NodeDeclaration& node,
                              const Binding& binding) const;
  void LinkOutputs(int node);
  void AppendExisting(const ElementWalk& walk, const Reference& reference,
                      absl::Span<const uint32_t> point);
  void Arrange(const Binding& binding, size_t from);

  // graph_order.cc
  absl::Status Order();
  absl::Status OrderGroup(const std::vector<int>& group);
  absl::Status CycleError(const std::vector<int>& group,
                          const std::vector<uint32_t>& waiting) const;
  void AddToOrder(int node, Job first, Job end, bool is_parallel);
  template <typename Visit>
  void ForEachMaker(int node, Job job, Visit visit) const;

  // The number of the point that the indices name.
  std::optional<uint32_t> NumberAt(
      const PointSpace& space,
      const std::vector<DimensionIndex>& indices) const;
  // graph_deferral.cc
  void Defer();
  bool MeetsUnknown(int node, Job job,
                    const std::vector<ElementWalk>& walks) const;

  void AppendPoint(const PointSpace& space, uint32_t number,
                   std::string* out) const;

  const Blueprint* blueprint_;
  GraphShape shape_;
  std::vector<PointSpace> spaces_;  // one per list of dimensions
  std::vector<int> node_space_;     // by declaration
  std::vector<int> input_space_;
  std::vector<int> output_space_;
  // By dimension, where fan-ins have groups: its points and those it is nested
  // in.
  std::map<int, int> group_space_;
  // Where each declaration's numbers begin; one more entry for the end.
  std::vector<uint32_t> job_begin_;
  std::vector<uint32_t> input_begin_;
  std::vector<uint32_t> output_begin_;
  uint32_t num_inactive_jobs_ = 0;
  uint32_t num_deferred_jobs_ = 0;
  std::vector<bool> deferred_;  // by job; empty if none is
  // Row r of sources_ is [row_begin_[r], row_begin_[r + 1]); the rows of a
  // node's jobs begin at node_row_[node], one per binding.
  std::vector<uint32_t> node_row_;
  std::vector<uint32_t> row_begin_;
  std::vector<Element> sources_;
  // What job j makes is [made_row_[j], made_row_[j + 1]) of made_.
  std::vector<uint32_t> made_row_;
  std::vector<Element> made_;
  std::vector<Job> makers_;  // by artefact
  std::vector<JobRun> order_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_GRAPH_GRAPH_H_

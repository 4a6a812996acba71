// A Graph is a blueprint expanded over its dimensions: every input value, job
// and artefact as an integer, and what each job reads and makes in flat arrays
// (compressed rows). A million jobs take some tens of bytes each; ids become
// text only for what is shown or stored.
//
// Elements are inputs, numbered from 0, then artefacts. Within a declaration,
// points are numbered with the last dimension fastest, and declarations follow
// one another in the blueprint's order.

#ifndef KINORA_SERVICES_PLANNER_GRAPH_GRAPH_H_
#define KINORA_SERVICES_PLANNER_GRAPH_GRAPH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "common/element_id.h"
#include "services/planner/blueprint/blueprint.h"

namespace kinora {

// The most a blueprint may expand to; a plan is held in memory.
inline constexpr uint64_t kMaxGraphElements = 4000000;
inline constexpr uint64_t kMaxGraphEdges = 50000000;

struct BindingShape;  // graph.cc

// Immutable, hence thread-safe.
class Graph {
 public:
  using Job = uint32_t;
  using Element = uint32_t;

  // `sizes` has the size of each dimension. The blueprint MUST outlive the
  // graph. FAILED_PRECONDITION (BLUEPRINT_INVALID) if the graph would be too
  // large or a constant index is beyond its dimension.
  static absl::StatusOr<Graph> Expand(const Blueprint& blueprint,
                                      std::vector<uint32_t> sizes);

  const Blueprint& blueprint() const { return *blueprint_; }
  uint32_t num_jobs() const { return job_begin_.back(); }
  uint32_t num_inputs() const { return input_begin_.back(); }
  uint32_t num_elements() const { return output_begin_.back(); }
  uint32_t num_artefacts() const { return num_elements() - num_inputs(); }
  bool IsInput(Element element) const { return element < num_inputs(); }

  // Jobs of a node: FirstJob(node) up to FirstJob(node + 1).
  Job FirstJob(size_t node) const { return job_begin_[node]; }
  // Elements of an input declaration, likewise.
  Element FirstInput(size_t input) const { return input_begin_[input]; }
  Element FirstArtefact(size_t output) const { return output_begin_[output]; }

  int NodeOf(Job job) const;
  int InputOf(Element input) const;
  int OutputOf(Element artefact) const;

  // What a job reads under the node's binding of that position, in order.
  absl::Span<const Element> Sources(int node, Job job, size_t binding) const;

  // What a job makes: output by output, then by index.
  absl::Span<const Element> Artefacts(int node, Job job) const;

  // The job that makes an artefact.
  Job MakerOf(Element artefact) const {
    return makers_[artefact - num_inputs()];
  }

  // Coordinates in the dimensions of the node, input or output.
  std::vector<uint32_t> JobPoint(int node, Job job) const;
  std::vector<uint32_t> ElementPoint(Element element) const;

  // `Narration[segment=0]`, `Artifact:Audio[segment=0]`.
  std::string JobIdOf(int node, Job job) const;
  std::string ElementIdOf(Element element) const;

  // The element of that id; nullopt if there is none.
  std::optional<Element> Find(const ElementId& id) const;

 private:
  explicit Graph(const Blueprint& blueprint) : blueprint_(&blueprint) {}

  absl::Status CountAll();
  absl::Status Link();
  absl::Status LinkBinding(const NodeDeclaration& node, const Binding& binding,
                           BindingShape* shape) const;
  void LinkOutputs(int node);
  uint64_t Volume(const std::vector<int>& dimensions) const;
  std::vector<uint32_t> Point(const std::vector<int>& dimensions,
                              uint32_t number) const;
  void AppendPoint(const std::vector<int>& dimensions, uint32_t number,
                   std::string* out) const;

  const Blueprint* blueprint_;
  std::vector<uint32_t> sizes_;
  // Where each declaration's numbers begin; one more entry for the end.
  std::vector<uint32_t> job_begin_;
  std::vector<uint32_t> input_begin_;
  std::vector<uint32_t> output_begin_;
  // Row r of sources_ is [row_begin_[r], row_begin_[r + 1]); the rows of a
  // node's jobs begin at node_row_[node], one per binding.
  std::vector<uint32_t> node_row_;
  std::vector<uint32_t> row_begin_;
  std::vector<Element> sources_;
  // A node's jobs make equally many artefacts, so no row index is needed.
  std::vector<uint32_t> made_begin_;  // by node
  std::vector<uint32_t> made_count_;  // by node, per job
  std::vector<Element> made_;
  std::vector<Job> makers_;  // by artefact
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_GRAPH_GRAPH_H_

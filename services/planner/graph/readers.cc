#include "services/planner/graph/readers.h"

#include "absl/functional/function_ref.h"

namespace kinora {
namespace {

void ForEachEdge(
    const Graph& graph,
    absl::FunctionRef<void(Graph::Element source, Graph::Job reader)> visit) {
  const std::vector<NodeDeclaration>& nodes = graph.blueprint().nodes;
  for (size_t node = 0; node < nodes.size(); ++node) {
    const size_t bindings = nodes[node].bindings.size();
    const Graph::Job end = graph.FirstJob(node + 1);
    for (Graph::Job job = graph.FirstJob(node); job < end; ++job) {
      for (size_t b = 0; b < bindings; ++b) {
        for (Graph::Element source :
             graph.Sources(static_cast<int>(node), job, b)) {
          visit(source, job);
        }
      }
    }
  }
}

}  // namespace

Readers::Readers(const Graph& graph) : begin_(graph.num_elements() + 2, 0) {
  // Counted two places on, so that filling in moves each begin to its place.
  ForEachEdge(graph, [this](Graph::Element source, Graph::Job) {
    ++begin_[source + 2];
  });
  for (size_t i = 2; i < begin_.size(); ++i) begin_[i] += begin_[i - 1];
  jobs_.resize(begin_.back());
  ForEachEdge(graph, [this](Graph::Element source, Graph::Job reader) {
    jobs_[begin_[source + 1]++] = reader;
  });
}

}  // namespace kinora

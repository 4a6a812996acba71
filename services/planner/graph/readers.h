// Readers are a graph's edges the other way round: the jobs that read an
// element, in flat arrays. Only a plan that follows a change needs them.

#ifndef KINORA_SERVICES_PLANNER_GRAPH_READERS_H_
#define KINORA_SERVICES_PLANNER_GRAPH_READERS_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

#include "services/planner/graph/graph.h"

namespace kinora {

// Immutable, hence thread-safe.
class Readers {
 public:
  explicit Readers(const Graph& graph);

  // Ascending; a job that reads the element under two names is there twice.
  absl::Span<const Graph::Job> Of(Graph::Element element) const {
    return absl::MakeConstSpan(jobs_).subspan(
        begin_[element], begin_[element + 1] - begin_[element]);
  }

 private:
  std::vector<uint32_t> begin_;  // by element, and one more for the end
  std::vector<Graph::Job> jobs_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_GRAPH_READERS_H_

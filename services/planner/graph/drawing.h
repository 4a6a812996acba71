// A Drawing is a graph as boxes and arrows: inputs and jobs, an arrow where a
// value goes from one to the other. Too large a graph is folded: one box for
// all jobs of a node and one for all values of an input.

#ifndef KINORA_SERVICES_PLANNER_GRAPH_DRAWING_H_
#define KINORA_SERVICES_PLANNER_GRAPH_DRAWING_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "services/planner/graph/graph.h"

namespace kinora {

// Boxes and arrows above which a graph is folded unless one says otherwise.
inline constexpr int kDefaultFoldAbove = 500;

struct Box {
  std::string name;   // `i3` for an input, `j7` for a job; `n2` for a node
  std::string label;  // an id; of a folded one with the count, `Clip x300`
  bool is_input = false;
};

struct Drawing {
  std::string title;
  std::vector<Box> boxes;  // inputs first
  // From and to, as positions in `boxes`; sorted, each once. Folded nodes may
  // read from themselves or from each other: what was made one step before.
  std::vector<std::pair<size_t, size_t>> arrows;
  bool folded = false;
};

// Folds the graph if it has more than `fold_above` boxes and arrows, 0 for
// kDefaultFoldAbove, never if it is negative. Inputs that nobody reads are left
// out. FAILED_PRECONDITION (LIMIT_EXCEEDED) if an unfolded one has more than
// 20,000, which nobody could look at.
absl::StatusOr<Drawing> Draw(const Graph& graph, int fold_above);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_GRAPH_DRAWING_H_

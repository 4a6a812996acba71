// A Drawing is a graph as boxes and arrows: inputs and jobs, an arrow where a
// value goes from one to the other, and a dotted one where a value decides how
// many jobs there are or whether they are active. Too large a graph is folded:
// one box for all jobs of a node and one for all values of an input.
//
// Jobs that are not known yet, or of which it is not known what they read, are
// one dashed box for each node, which says what they wait for.

#ifndef KINORA_SERVICES_PLANNER_GRAPH_DRAWING_H_
#define KINORA_SERVICES_PLANNER_GRAPH_DRAWING_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "services/planner/graph/graph.h"

namespace kinora {

// Boxes and arrows above which a graph is folded unless one says otherwise.
inline constexpr int kDefaultFoldAbove = 500;

struct Box {
  // `i3` for an input, `j7` for a job, `n2` for a node, `d2` for the deferred
  // jobs of a node.
  std::string name;
  // An id; of a folded one with the count, `Clip x300`; of a deferred one
  // `Clip: waits for Scenes`.
  std::string label;
  bool is_input = false;
  bool is_deferred = false;
};

struct Arrow {
  size_t from = 0;  // positions in Drawing::boxes
  size_t to = 0;
  // What `from` decides about `to`, `sizes segment` or `if`; empty where a
  // value is read.
  std::string decides;
};

struct Drawing {
  std::string title;
  std::vector<Box> boxes;  // inputs first
  // Sorted by place, each once; those that decide after those that are read.
  // Folded and deferred nodes may read from themselves or from each other: what
  // was made one step before.
  std::vector<Arrow> arrows;
  bool folded = false;
};

// Folds the graph if it has more than `fold_above` boxes and arrows, 0 for
// kDefaultFoldAbove, never if it is negative. Inputs that nobody reads and that
// decide nothing are left out. FAILED_PRECONDITION (LIMIT_EXCEEDED) if an
// unfolded one has more than 20,000, which nobody could look at.
absl::StatusOr<Drawing> Draw(const Graph& graph, int fold_above);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_GRAPH_DRAWING_H_

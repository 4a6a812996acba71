// Lineage: the jobs that artefacts are made from, and the jobs that decide
// about those: how many there are, and whether they are active.

#ifndef KINORA_SERVICES_PLANNER_PLAN_LINEAGE_H_
#define KINORA_SERVICES_PLANNER_PLAN_LINEAGE_H_

#include <string>
#include <vector>

#include "services/planner/graph/graph.h"
#include "services/planner/plan/job_set.h"

namespace kinora {

// True if an artefact decides whether jobs of the node are active.
bool IsSwitchedByArtefacts(const NodeDeclaration& node);

// Artefacts that a caller names: those the graph has, and some that it may have
// once a size that is unknown now is known.
struct NamedArtefacts {
  struct ToCome {
    int output = 0;
    // One constant index per dimension; empty for all that come.
    std::vector<ReferenceIndex> indices;
    std::string id;
  };
  std::vector<Graph::Element> found;
  // Those that would be meant, too, but for a condition.
  std::vector<Graph::Element> switched_off;
  std::vector<ToCome> to_come;
  // Outputs of which all artefacts are meant, so that what decides how many
  // there are belongs to their lineage, though it decides that there are none.
  std::vector<int> whole;
};

struct Lineage {
  JobSet jobs;  // with those that make the artefacts
  // Not empty if more jobs may belong to it once what is deferred is known: an
  // artefact of which that is so.
  std::string open_end;
};

Lineage LineageOf(const Graph& graph, const NamedArtefacts& artefacts);

// The same with what those to come will be made from, if they come: during a
// run, in which what is not made anew when it is known would be taken from an
// earlier one.
Lineage LineageAheadOf(const Graph& graph, const NamedArtefacts& artefacts);

// The same for nodes as a whole, by index: all that some are made from or
// decided by, and they themselves.
std::vector<bool> NodesBehind(const Graph& graph,
                              const NamedArtefacts& artefacts);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_LINEAGE_H_

// Which jobs of a graph are deferred, node by node, and what each waits for.

#ifndef KINORA_SERVICES_PLANNER_PLAN_DEFERRED_GROUPS_H_
#define KINORA_SERVICES_PLANNER_PLAN_DEFERRED_GROUPS_H_

#include <vector>

#include "kinora/v1/plan.pb.h"
#include "services/planner/graph/graph.h"

namespace kinora {

// Sorted by node, then by what decides; empty if everything is known. A node
// has a group for each dimension and artefact that it waits for. One that waits
// for none itself has one group that names the deferred nodes it reads from.
std::vector<v1::DeferredGroup> DeferredGroups(const Graph& graph);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_DEFERRED_GROUPS_H_

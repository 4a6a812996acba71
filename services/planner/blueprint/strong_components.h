// Strongly connected components of a directed graph: what lies on a common
// cycle.

#ifndef KINORA_SERVICES_PLANNER_BLUEPRINT_STRONG_COMPONENTS_H_
#define KINORA_SERVICES_PLANNER_BLUEPRINT_STRONG_COMPONENTS_H_

#include <vector>

namespace kinora {

struct StrongComponents {
  std::vector<int> of;  // by vertex
  int count = 0;
};

// `edges[v]` are the vertices that v leads to. Components are numbered so that
// edges between them lead to lower numbers. Linear, and without recursion.
StrongComponents FindStrongComponents(
    const std::vector<std::vector<int>>& edges);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_BLUEPRINT_STRONG_COMPONENTS_H_

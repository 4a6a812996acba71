// What the controls of a v1::PlanScope mean for the jobs of a graph.

#ifndef KINORA_SERVICES_PLANNER_PLAN_SCOPE_H_
#define KINORA_SERVICES_PLANNER_PLAN_SCOPE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/plan.pb.h"
#include "services/planner/graph/graph.h"
#include "services/planner/plan/job_set.h"
#include "services/planner/plan/scope_names.h"

namespace kinora {

// The scope of a plan, over the jobs of its graph.
struct JobScope {
  // The first index in scope of a dimension.
  struct FirstIndex {
    int dimension = 0;
    uint32_t index = 0;
  };

  // The controls with full ids, sorted, each once; empty for none.
  v1::PlanScope controls;
  bool restricts = false;  // only the jobs of `included` are in scope
  JobSet included;
  // Jobs to make anew and jobs to keep, with the artefact by which they were
  // named.
  std::map<Graph::Job, Graph::Element> forced;
  std::map<Graph::Job, Graph::Element> pinned;
  uint32_t up_to_layer = 0;  // counted from 1; 0 for all
  std::vector<FirstIndex> first_indices;
  // What the ids of `only`, `regenerate` and `pin` stand for.
  std::vector<ScopeName> targets;
  std::vector<ScopeName> regenerated;
  std::vector<ScopeName> kept;
  // If not empty: an artefact to make anew with its lineage, which is not known
  // yet in full, but has no jobs of other nodes than these.
  std::string open_lineage;
  std::vector<bool> lineage_nodes;
  // By node, whether its deferred jobs are waited for; empty for all.
  std::vector<bool> awaited;

  // False also if nothing that it names has come yet: it holds for what does.
  bool empty() const { return controls.ByteSizeLong() == 0; }
  // True for a job that is left as it is whatever its layer.
  bool LeavesOut(Graph::Job job) const {
    return (restricts && !included.Contains(job)) ||
           (!pinned.empty() && pinned.contains(job));
  }
  // False if whatever becomes of the node's deferred jobs is left for later:
  // none of the layers asked for has them (see CheckLayers()), or none of the
  // targets is made from them.
  bool Awaits(size_t node) const {
    return up_to_layer == 0 && (awaited.empty() || awaited[node]);
  }
};

// INVALID_ARGUMENT (SCOPE_CONTRADICTION): controls that cannot both hold.
absl::Status ScopeContradiction(absl::string_view field,
                                absl::string_view message);

// INVALID_ARGUMENT (INVALID_FIELD) names a control and what it does not fit;
// INVALID_ARGUMENT (SCOPE_CONTRADICTION) the controls that cannot both hold,
// whatever is clean: an artefact to make anew and to keep, or a target before
// the first index in scope.
//
// With `is_expansion` the scope is that of a plan under way: what was pinned or
// to be made anew and has not come is no error, there is nothing to keep or to
// make, and what decided about it has been paid for.
absl::StatusOr<JobScope> ResolveScope(const v1::PlanScope& scope,
                                      const Graph& graph, bool is_expansion);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_SCOPE_H_

// The part of MakePlan that finds which jobs to run failed before. It goes
// through what failed, not through what runs.

#include <optional>

#include "services/planner/plan/plan_state.h"

namespace kinora {

void FindLastFailures(PlanState* state) {
  const Graph& graph = state->graph;
  for (const auto& [attempt, failure] : state->in.results->Failures()) {
    const std::optional<Graph::Element> artefact =
        graph.FindArtefact(attempt.first);
    if (!artefact.has_value()) continue;
    const Graph::Job job = graph.MakerOf(*artefact);
    const Digest* key = state->KeyOf(job);
    if (key == nullptr || *key != attempt.second || !Runs(state->fates[job])) {
      continue;
    }
    LastFailure& last = state->last_failures[job];
    if (last.failure == nullptr) last.failure = failure.get();
    last.artefacts.push_back(*artefact);
  }
}

}  // namespace kinora

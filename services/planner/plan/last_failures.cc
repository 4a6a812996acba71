// The part of MakePlan that finds which jobs to run failed before. Of what
// failed since the base revision it goes through what failed, not through what
// runs; of what failed before, it asks for what runs, some jobs at a time.

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "common/status.h"
#include "services/planner/plan/plan_state.h"

namespace kinora {
namespace {

// What is in memory at once, about, and as much as a store is asked in a call.
constexpr size_t kQueriesAtOnce = 10'000;

void FindSinceTheBase(PlanState* state) {
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
    if (last.failure == nullptr) last.failure = failure;
    last.artefacts.push_back(*artefact);
  }
}

// For jobs that no failure since the base is known of.
class OlderFailures {
 public:
  explicit OlderFailures(PlanState* state) : state_(*state) {}

  absl::Status Find() {
    const Graph& graph = state_.graph;
    for (Graph::Job job : state_.dirty) {
      const Digest* key = state_.KeyOf(job);
      if (key == nullptr || !Runs(state_.fates[job]) ||
          state_.last_failures.contains(job)) {
        continue;
      }
      for (Graph::Element artefact : graph.Artefacts(graph.NodeOf(job), job)) {
        asked_.push_back({job, artefact});
        queries_.push_back({graph.ElementIdOf(artefact), *key});
      }
      if (queries_.size() >= kQueriesAtOnce) KINORA_RETURN_IF_ERROR(Ask());
    }
    return queries_.empty() ? absl::OkStatus() : Ask();
  }

 private:
  struct Asked {
    Graph::Job job = 0;
    Graph::Element artefact = 0;
  };

  absl::Status Ask() {
    KINORA_ASSIGN_OR_RETURN(
        std::vector<std::shared_ptr<const v1::Failure>> failures,
        state_.in.results->FindOlderFailures(queries_));
    for (size_t i = 0; i < failures.size(); ++i) {
      if (failures[i] == nullptr) continue;
      LastFailure& last = state_.last_failures[asked_[i].job];
      if (last.failure == nullptr) last.failure = std::move(failures[i]);
      last.artefacts.push_back(asked_[i].artefact);
    }
    asked_.clear();
    queries_.clear();
    return absl::OkStatus();
  }

  PlanState& state_;
  std::vector<Asked> asked_;  // as queries_
  std::vector<ResultQuery> queries_;
};

}  // namespace

absl::Status FindLastFailures(PlanState* state) {
  FindSinceTheBase(state);
  if (!state->in.results->MayHaveOlderFailures()) return absl::OkStatus();
  return OlderFailures(state).Find();
}

}  // namespace kinora

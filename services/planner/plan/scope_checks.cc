// The part of MakePlanOn() that looks at the scope once the jobs are judged:
// whether its controls agree, and whether each changes something.

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/element_id.h"
#include "common/status.h"
#include "services/planner/plan/plan_state.h"

namespace kinora {
namespace {

// In which layers jobs come that are known only during the run is not known
// either, but that it is after the job that decides about them.
absl::Status CheckLayers(const PlanState& state) {
  const uint32_t most = state.scope.up_to_layer;
  if (most == 0) return absl::OkStatus();
  uint32_t layer = most;  // the first in which something is decided
  std::string decider_id;
  for (const std::string& id : state.graph.shape().unknown) {
    const absl::StatusOr<ElementId> parsed = ElementId::Parse(id);
    if (!parsed.ok()) continue;
    const std::optional<Graph::Element> decider = state.graph.Find(*parsed);
    if (!decider.has_value()) continue;
    const Graph::Job job = state.graph.MakerOf(*decider);
    if (!Runs(state.fates[job]) || state.layers[job] + 1 >= layer) continue;
    layer = state.layers[job] + 1;
    decider_id = id;
  }
  if (layer == most) return absl::OkStatus();
  return InvalidField(
      "scope.up_to_layer", absl::StrCat(most),
      absl::StrCat("what comes after layer ", layer, " is known only when ",
                   decider_id, " is made in it"));
}

absl::Status LineageNotKnown(const JobScope& scope, absl::string_view made,
                             absl::string_view but) {
  return InvalidField(
      "scope.with_lineage", "true",
      absl::StrCat("whether ", scope.open_lineage, " is made from ", made,
                   ", which ", but,
                   ", is known only during the run: run first, or do without "
                   "it"));
}

// A job that turns out to belong to a lineage is made anew then; unless it is
// in the plan already, to be reused, or is to be kept.
absl::Status CheckLineage(const PlanState& state) {
  const JobScope& scope = state.scope;
  const Graph& graph = state.graph;
  if (scope.open_lineage.empty()) return absl::OkStatus();
  for (Graph::Job job : state.dirty) {
    const int node = graph.NodeOf(job);
    const JobFate fate = state.fates[job];
    if (!scope.lineage_nodes[node] || scope.forced.contains(job) ||
        (fate != JobFate::kReused && fate != JobFate::kMayRun)) {
      continue;
    }
    return LineageNotKnown(
        scope, absl::StrCat("what ", graph.JobIdOf(node, job), " makes"),
        "may be reused");
  }
  for (const ScopeName& name : scope.kept) {
    const int node = graph.blueprint().outputs[name.output].node;
    if (name.IsIdle() || !scope.lineage_nodes[node]) continue;
    return LineageNotKnown(scope, name.id, "scope.pin keeps");
  }
  return absl::OkStatus();
}

// A target that is kept is not made, unless nothing would make it anyway.
absl::Status CheckTargetsAreMade(const PlanState& state) {
  const JobScope& scope = state.scope;
  if (scope.pinned.empty()) return absl::OkStatus();
  for (const ScopeName& target : scope.targets) {
    for (Graph::Element artefact : target.artefacts.found) {
      const Graph::Job job = state.graph.MakerOf(artefact);
      const auto pinned = scope.pinned.find(job);
      const bool is_deferred = state.graph.IsDeferred(job);
      if (pinned == scope.pinned.end() ||
          (state.fates[job] == JobFate::kClean && !is_deferred)) {
        continue;
      }
      return ScopeContradiction(
          "scope.pin",
          absl::StrCat("scope.pin: ", state.graph.ElementIdOf(pinned->second),
                       " is to be kept, and scope.only asks to make ",
                       state.graph.ElementIdOf(artefact),
                       is_deferred
                           ? "; whether that is clean is known only during "
                             "the run"
                           : ", which is not as its inputs say"));
    }
  }
  return absl::OkStatus();
}

// True if the base has some of what is to come.
bool BaseHasAny(const PlanState& state,
                const NamedArtefacts::ToCome& artefact) {
  const std::vector<std::string>& ids = state.base.removed_artefact_ids();
  if (!artefact.indices.empty()) {
    return std::binary_search(ids.begin(), ids.end(), artefact.id);
  }
  const std::string of_name = absl::StrCat(artefact.id, "[");
  return std::any_of(ids.begin(), ids.end(), [&of_name](const std::string& id) {
    return absl::StartsWith(id, of_name);
  });
}

// What is known only during the run is to be kept as the base has it, so it is
// known now whether there is anything to keep. Of a name some of it will do:
// see UnpinWhatComesAnew() for the rest.
absl::Status CheckPinsHaveValues(const PlanState& state) {
  const Graph& graph = state.graph;
  for (const ScopeName& name : state.scope.kept) {
    bool is_deferred = !name.artefacts.to_come.empty();
    bool has_value = std::any_of(
        name.artefacts.to_come.begin(), name.artefacts.to_come.end(),
        [&state](const auto& artefact) { return BaseHasAny(state, artefact); });
    for (Graph::Element artefact : name.artefacts.found) {
      is_deferred = is_deferred || graph.IsDeferred(graph.MakerOf(artefact));
      has_value = has_value || state.InBase(artefact);
    }
    if (!is_deferred || has_value) continue;
    return InvalidField("scope.pin", name.id,
                        "it has no value that could be kept");
  }
  return absl::OkStatus();
}

// Tells which jobs a name stands for run, and why others do not.
class NameJudge {
 public:
  explicit NameJudge(const PlanState& state)
      : state_(state), scope_(state.scope), graph_(state.graph) {}

  // Why a job is left as it is, pinned or not; empty if nothing but a pin
  // leaves it.
  std::string WhyLeft(Graph::Job job) const {
    const int node = graph_.NodeOf(job);
    const Blueprint& blueprint = graph_.blueprint();
    for (const JobScope::FirstIndex& first : scope_.first_indices) {
      const std::vector<int>& over = blueprint.nodes[node].over;
      const auto place = std::find(over.begin(), over.end(), first.dimension);
      if (place == over.end() ||
          graph_.JobPoint(node, job)[place - over.begin()] >= first.index) {
        continue;
      }
      return absl::StrCat("scope.from_index leaves what is before ",
                          blueprint.dimensions[first.dimension].name, "=",
                          first.index, " alone");
    }
    if (graph_.IsDeferred(job)) return WhyDeferredLeft(node);
    if (scope_.restricts && !scope_.included.Contains(job)) return kNotAsked;
    if (IsBehind(job)) return WhereItIs(job);
    return "";
  }

  // The same for the jobs of a node that come during the run.
  std::string WhyDeferredLeft(int node) const {
    const size_t at = static_cast<size_t>(node);
    if (!scope_.awaited.empty() && !scope_.awaited[at]) return kNotAsked;
    return scope_.Awaits(at) ? ""
                             : "it is decided after the last layer that "
                               "scope.up_to_layer asks for";
  }

  // True if the job comes after the last layer asked for, also if it is kept.
  bool IsBehind(Graph::Job job) const {
    return scope_.up_to_layer != 0 && state_.fates[job] == JobFate::kLeft &&
           state_.layers[job] >= scope_.up_to_layer;
  }

  std::string WhereItIs(Graph::Job job) const {
    return absl::StrCat("it comes in layer ", state_.layers[job] + 1,
                        ", and scope.up_to_layer is ", scope_.up_to_layer);
  }

  // Why nothing that the name stands for is in scope, where `why` tells that of
  // a job; empty if something is.
  std::string WhyNothing(
      const ScopeName& name,
      const std::function<std::string(Graph::Job)>& why) const {
    std::string first;
    for (Graph::Element artefact : name.artefacts.found) {
      const std::string reason = why(graph_.MakerOf(artefact));
      if (reason.empty()) return "";
      if (first.empty()) first = reason;
    }
    if (name.artefacts.to_come.empty()) return first;
    const std::string reason =
        WhyDeferredLeft(graph_.blueprint().outputs[name.output].node);
    return reason.empty() || first.empty() ? reason : first;
  }

 private:
  static constexpr char kNotAsked[] =
      "scope.only asks for nothing that is made from it";

  const PlanState& state_;
  const JobScope& scope_;
  const Graph& graph_;
};

void WarnOfIdleNames(const char* field, const std::vector<ScopeName>& names,
                     PlanState* state) {
  for (const ScopeName& name : names) {
    if (!name.IsIdle()) continue;
    Warn(absl::StrCat(field, ": there is no ", name.id,
                      " at these inputs: a condition switches it off, or a "
                      "dimension is empty"),
         state);
  }
}

// A target that the last layer asked for does not reach; each once, however
// many artefacts it stands for.
void WarnOfTargetsNotReached(const NameJudge& judge, PlanState* state) {
  const JobScope& scope = state->scope;
  if (scope.up_to_layer == 0) return;
  for (const ScopeName& target : scope.targets) {
    std::string why;
    for (Graph::Element artefact : target.artefacts.found) {
      const Graph::Job job = state->graph.MakerOf(artefact);
      if (state->IsBehindLastLayer(job)) why = judge.WhereItIs(job);
      if (state->graph.IsDeferred(job)) {
        why = judge.WhyDeferredLeft(state->graph.NodeOf(job));
      }
      if (!why.empty()) break;
    }
    if (why.empty() && !target.artefacts.to_come.empty()) {
      why = judge.WhyDeferredLeft(
          state->graph.blueprint().outputs[target.output].node);
    }
    if (why.empty()) continue;
    Warn(absl::StrCat("scope.only: ", target.id, " is not made: ", why), state);
  }
}

void WarnOfIdleRegenerate(const NameJudge& judge, PlanState* state) {
  const JobScope& scope = state->scope;
  bool any = false;
  for (const ScopeName& name : scope.regenerated) {
    const std::string why = judge.WhyNothing(name, [&](Graph::Job job) {
      return Runs(state->fates[job]) ? "" : judge.WhyLeft(job);
    });
    any = any || why.empty();
    if (why.empty()) continue;
    Warn(
        absl::StrCat("scope.regenerate: ", name.id, " is not made anew: ", why),
        state);
  }
  if (!any || !scope.controls.with_lineage()) return;
  size_t left = 0;
  std::string example;
  for (const auto& [job, artefact] : scope.forced) {
    if (Runs(state->fates[job])) continue;
    const std::string why = judge.WhyLeft(job);
    if (why.empty()) continue;
    if (++left > 1) continue;
    example = absl::StrCat(state->graph.ElementIdOf(artefact), ": ", why);
  }
  if (left == 0) return;
  Warn(absl::StrCat("scope.with_lineage: ", left, left == 1 ? " job" : " jobs",
                    " of the lineage left as they are, such as that of ",
                    example),
       state);
}

void WarnOfIdlePins(const NameJudge& judge, PlanState* state) {
  for (const ScopeName& name : state->scope.kept) {
    const std::string why = judge.WhyNothing(name, [&](Graph::Job job) {
      std::string left = judge.WhyLeft(job);
      const bool is_clean =
          state->fates[job] == JobFate::kClean && !state->graph.IsDeferred(job);
      return left.empty() && is_clean ? "it is clean" : left;
    });
    if (why.empty()) continue;
    Warn(absl::StrCat("scope.pin: ", name.id,
                      " would be kept without a pin: ", why),
         state);
  }
}

}  // namespace

absl::Status CheckScope(const PlanState& state) {
  KINORA_RETURN_IF_ERROR(CheckLayers(state));
  // What holds for a plan holds for its expansions.
  if (!state.in.run_id.empty()) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(CheckPinsHaveValues(state));
  KINORA_RETURN_IF_ERROR(CheckTargetsAreMade(state));
  return CheckLineage(state);
}

// Controls are meant to change something.
void WarnOfIdleControls(PlanState* state) {
  const JobScope& scope = state->scope;
  const NameJudge judge(*state);
  WarnOfIdleNames("scope.only", scope.targets, state);
  WarnOfIdleNames("scope.regenerate", scope.regenerated, state);
  WarnOfIdleNames("scope.pin", scope.kept, state);
  WarnOfTargetsNotReached(judge, state);
  WarnOfIdleRegenerate(judge, state);
  WarnOfIdlePins(judge, state);
}

}  // namespace kinora

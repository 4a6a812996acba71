#include "services/planner/plan/make_plan.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/planner/plan/plan_state.h"

namespace kinora {
namespace {

// What is known of the deciding artefacts after the jobs were judged.
std::vector<DecidedArtefact> Decided(const PlanState& state) {
  std::vector<DecidedArtefact> decided;
  const Graph& graph = state.graph;
  for (int output : graph.blueprint().deciding_outputs) {
    const Graph::Element end =
        graph.FirstArtefact(static_cast<size_t>(output) + 1);
    for (Graph::Element element =
             graph.FirstArtefact(static_cast<size_t>(output));
         element < end; ++element) {
      if (!graph.Exists(element) || graph.IsDeferred(graph.MakerOf(element))) {
        continue;
      }
      const ArtefactOrigin origin = state.OriginOf(element);
      if (origin == ArtefactOrigin::kUnknown ||
          origin == ArtefactOrigin::kNone) {
        continue;
      }
      const bool from_log = origin == ArtefactOrigin::kLog;
      if (!from_log && !state.InBase(element)) continue;
      // What it decides comes after it, so it is in none of the layers either.
      if (state.IsBehindLastLayer(graph.MakerOf(element))) continue;
      DecidedArtefact& known = decided.emplace_back();
      known.output = output;
      known.artefact_id = graph.ElementIdOf(element);
      known.content =
          from_log ? state.log_values.find(element)->second.result.content
                   : state.base.ContentOf(state.NumberOf(element));
    }
  }
  return decided;
}

}  // namespace

absl::StatusOr<MadePlan> MakePlanOn(const PlanOptions& options,
                                    HydratedGraph* hydrated) {
  PlanState state(options, hydrated);
  KINORA_RETURN_IF_ERROR(TakeOptions(&state));
  KINORA_RETURN_IF_ERROR(JudgeJobs(&state));
  KINORA_RETURN_IF_ERROR(FindLastFailures(&state));
  KINORA_RETURN_IF_ERROR(CheckScope(state));
  WarnOfIdleControls(&state);
  WarnOfMissingLater(&state);
  WarnOfStaleLeaves(&state);
  return WritePlan(state, Decided(state));
}

absl::StatusOr<MadePlan> PlanUntilItFits(
    const Blueprint& blueprint, const InputMap& set, DecidingValues guess,
    DecidingReader* reader,
    absl::FunctionRef<absl::StatusOr<MadePlan>(const GraphShape&)> plan_with) {
  DecidingValues values = std::move(guess);
  bool rests_on_guess = !values.empty();
  // A value hangs on those upstream of it, and each round settles the next
  // ones, so there are no more rounds than steps in the shape.
  const size_t most = 2 * blueprint.shape_order.size() + 3;
  for (size_t round = 0; round < most; ++round) {
    absl::StatusOr<GraphShape> shape = ShapeOf(blueprint, set, values);
    absl::StatusOr<MadePlan> made =
        shape.ok() ? plan_with(*shape) : shape.status();
    if (!made.ok()) {
      // What only a wrong guess asks for is no error, nor what follows from it.
      if (!rests_on_guess) return made;
      rests_on_guess = false;
      values.clear();
      continue;
    }
    if (blueprint.deciding_outputs.empty()) return made;
    KINORA_ASSIGN_OR_RETURN(values, reader->ReadAll(blueprint, made->decided));
    KINORA_ASSIGN_OR_RETURN(const GraphShape fitting,
                            ShapeOf(blueprint, set, values));
    if (fitting == *shape) return made;
  }
  return absl::InternalError(
      absl::StrCat("planning does not settle after ", most,
                   " rounds: what decides about the graph hangs on itself"));
}

absl::StatusOr<MadePlan> MakePlan(const PlanInputs& inputs) {
  const Blueprint& blueprint = *inputs.blueprint;
  InputMap set = inputs.inputs;
  for (const v1::PendingEdit& edit : inputs.edits) {
    set[edit.input_id()] = edit.content();
  }
  DecidingReader reader(inputs.blob_bytes);
  DecidingValues guess;
  if (inputs.base != nullptr) {
    guess = reader.Guess(blueprint, DecidedByManifest(blueprint, *inputs.base));
  }
  const auto plan_with =
      [&inputs](const GraphShape& shape) -> absl::StatusOr<MadePlan> {
    KINORA_ASSIGN_OR_RETURN(Graph graph,
                            Graph::Expand(*inputs.blueprint, shape));
    HydratedBase base;
    if (inputs.base != nullptr) {
      KINORA_ASSIGN_OR_RETURN(base, HydratedBase::Of(*inputs.base, graph));
    }
    HydratedGraph hydrated(inputs.blueprint_hash, std::move(graph),
                           inputs.base_hash, std::move(base),
                           inputs.base_blueprint);
    hydrated.SetLostBlobs(inputs.lost_blobs);
    for (const auto& [id, content] : inputs.inputs) {
      KINORA_RETURN_IF_ERROR(hydrated.SetInput(id, content));
    }
    return MakePlanOn(inputs, &hydrated);
  };
  return PlanUntilItFits(blueprint, set, std::move(guess), &reader, plan_with);
}

}  // namespace kinora

#include "services/planner/plan/make_plan.h"

#include <utility>

#include "common/status.h"
#include "services/planner/plan/plan_state.h"

namespace kinora {

absl::StatusOr<MadePlan> MakePlanOn(const PlanOptions& options,
                                    HydratedGraph* hydrated) {
  PlanState state(options, hydrated);
  KINORA_RETURN_IF_ERROR(TakeOptions(&state));
  KINORA_RETURN_IF_ERROR(JudgeJobs(&state));
  WarnOfIdleControls(&state);
  return WritePlan(state);
}

absl::StatusOr<MadePlan> MakePlan(const PlanInputs& inputs) {
  InputMap set = inputs.inputs;
  for (const v1::PendingEdit& edit : inputs.edits) {
    set[edit.input_id()] = edit.content();
  }
  KINORA_ASSIGN_OR_RETURN(GraphShape shape, ShapeOf(*inputs.blueprint, set));
  KINORA_ASSIGN_OR_RETURN(Graph graph,
                          Graph::Expand(*inputs.blueprint, std::move(shape)));
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
}

}  // namespace kinora

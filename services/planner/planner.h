// A Planner reads blueprints and makes plans. StorePlanner makes them from a
// store; RemotePlanner (clients/cpp/planner_client.h) asks one over RPC.
// Errors and guarantees are those of PlannerService in
// proto/kinora/v1/planner.proto.

#ifndef KINORA_SERVICES_PLANNER_PLANNER_H_
#define KINORA_SERVICES_PLANNER_PLANNER_H_

#include <vector>

#include "absl/status/statusor.h"

#include "common/threads/call_stop.h"
#include "kinora/v1/plan.pb.h"
#include "kinora/v1/planner.pb.h"

namespace kinora {

// The answer to CreatePlan, put together.
struct CreatedPlan {
  v1::PlanHeader header;
  // Empty, and `header.reused` too, unless the layers were asked for.
  std::vector<v1::PlanLayer> layers;
};

// Thread-safe. Calls may block.
class Planner {
 public:
  virtual ~Planner() = default;

  virtual absl::StatusOr<v1::ValidateBlueprintResponse> ValidateBlueprint(
      const v1::ValidateBlueprintRequest& request) = 0;
  virtual absl::StatusOr<v1::ValidateInputsResponse> ValidateInputs(
      const v1::ValidateInputsRequest& request) = 0;
  virtual absl::StatusOr<CreatedPlan> CreatePlan(
      const v1::CreatePlanRequest& request) = 0;
  // `stop` cuts the call short where it waits for another process; its error is
  // CANCELLED then.
  virtual absl::StatusOr<v1::ExpandDeferredGroupResponse> ExpandDeferredGroup(
      const v1::ExpandDeferredGroupRequest& request, CallStop& stop) = 0;
  virtual absl::StatusOr<v1::RenderGraphResponse> RenderGraph(
      const v1::RenderGraphRequest& request) = 0;
  virtual absl::StatusOr<v1::ExplainArtefactResponse> ExplainArtefact(
      const v1::ExplainArtefactRequest& request) = 0;
  virtual absl::StatusOr<v1::EstimatePlanResponse> EstimatePlan(
      const v1::EstimatePlanRequest& request) = 0;
  virtual absl::StatusOr<v1::GetJobDurationsResponse> GetJobDurations(
      const v1::GetJobDurationsRequest& request) = 0;
  virtual absl::StatusOr<v1::DiffRevisionsResponse> DiffRevisions(
      const v1::DiffRevisionsRequest& request) = 0;
  virtual absl::StatusOr<v1::DiffRunsResponse> DiffRuns(
      const v1::DiffRunsRequest& request) = 0;
  virtual absl::StatusOr<v1::ListTakesResponse> ListTakes(
      const v1::ListTakesRequest& request) = 0;
  virtual absl::StatusOr<v1::ListLeavesResponse> ListLeaves(
      const v1::ListLeavesRequest& request) = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLANNER_H_

// A ForwardingPlanner is another planner: what tests derive from to change some
// of what it does.

#ifndef KINORA_SERVICES_PLANNER_TESTING_FORWARDING_PLANNER_H_
#define KINORA_SERVICES_PLANNER_TESTING_FORWARDING_PLANNER_H_

#include "absl/status/statusor.h"

#include "services/planner/planner.h"

namespace kinora {

// As thread-safe as its base.
class ForwardingPlanner : public Planner {
 public:
  // `base` MUST outlive this.
  explicit ForwardingPlanner(Planner& base) : base_(base) {}

  absl::StatusOr<v1::ValidateBlueprintResponse> ValidateBlueprint(
      const v1::ValidateBlueprintRequest& request) override {
    return base_.ValidateBlueprint(request);
  }
  absl::StatusOr<v1::ValidateInputsResponse> ValidateInputs(
      const v1::ValidateInputsRequest& request) override {
    return base_.ValidateInputs(request);
  }
  absl::StatusOr<CreatedPlan> CreatePlan(
      const v1::CreatePlanRequest& request) override {
    return base_.CreatePlan(request);
  }
  absl::StatusOr<v1::ExpandDeferredGroupResponse> ExpandDeferredGroup(
      const v1::ExpandDeferredGroupRequest& request, CallStop& stop) override {
    return base_.ExpandDeferredGroup(request, stop);
  }
  absl::StatusOr<v1::RenderGraphResponse> RenderGraph(
      const v1::RenderGraphRequest& request) override {
    return base_.RenderGraph(request);
  }
  absl::StatusOr<v1::ExplainArtefactResponse> ExplainArtefact(
      const v1::ExplainArtefactRequest& request) override {
    return base_.ExplainArtefact(request);
  }
  absl::StatusOr<v1::EstimatePlanResponse> EstimatePlan(
      const v1::EstimatePlanRequest& request) override {
    return base_.EstimatePlan(request);
  }
  absl::StatusOr<v1::GetJobDurationsResponse> GetJobDurations(
      const v1::GetJobDurationsRequest& request) override {
    return base_.GetJobDurations(request);
  }
  absl::StatusOr<v1::DiffRevisionsResponse> DiffRevisions(
      const v1::DiffRevisionsRequest& request) override {
    return base_.DiffRevisions(request);
  }
  absl::StatusOr<v1::DiffRunsResponse> DiffRuns(
      const v1::DiffRunsRequest& request) override {
    return base_.DiffRuns(request);
  }
  absl::StatusOr<v1::ListTakesResponse> ListTakes(
      const v1::ListTakesRequest& request) override {
    return base_.ListTakes(request);
  }
  absl::StatusOr<v1::ListLeavesResponse> ListLeaves(
      const v1::ListLeavesRequest& request) override {
    return base_.ListLeaves(request);
  }

 private:
  Planner& base_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_TESTING_FORWARDING_PLANNER_H_

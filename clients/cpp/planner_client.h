// A RemotePlanner is the Planner interface over a channel: what the runner and
// the command line use. Calls block, each with a deadline; errors are those of
// the server, with their reasons (common/error_reason.h), or UNAVAILABLE and
// DEADLINE_EXCEEDED when it does not answer.

#ifndef KINORA_CLIENTS_CPP_PLANNER_CLIENT_H_
#define KINORA_CLIENTS_CPP_PLANNER_CLIENT_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "services/planner/planner.h"

namespace grpc {
class Channel;
}

namespace kinora {

struct RemotePlannerOptions {
  // How long a check may take.
  absl::Duration timeout = absl::Seconds(30);
  // How long making a plan may take; large movies need it.
  absl::Duration plan_timeout = absl::Minutes(5);
  // How long taking up what a list decides may take, unless it is cut short.
  absl::Duration expansion_timeout = absl::Minutes(1);
  // How long telling what calls took before may take: a run goes on without.
  absl::Duration durations_timeout = absl::Seconds(2);
};

// Thread-safe.
class RemotePlanner final : public Planner {
 public:
  explicit RemotePlanner(std::shared_ptr<grpc::Channel> channel,
                         const RemotePlannerOptions& options = {});
  ~RemotePlanner() override;

  absl::StatusOr<v1::ValidateBlueprintResponse> ValidateBlueprint(
      const v1::ValidateBlueprintRequest& request) override;
  absl::StatusOr<v1::ValidateInputsResponse> ValidateInputs(
      const v1::ValidateInputsRequest& request) override;
  absl::StatusOr<CreatedPlan> CreatePlan(
      const v1::CreatePlanRequest& request) override;
  absl::StatusOr<v1::ExpandDeferredGroupResponse> ExpandDeferredGroup(
      const v1::ExpandDeferredGroupRequest& request, CallStop& stop) override;
  absl::StatusOr<v1::RenderGraphResponse> RenderGraph(
      const v1::RenderGraphRequest& request) override;
  absl::StatusOr<v1::ExplainArtefactResponse> ExplainArtefact(
      const v1::ExplainArtefactRequest& request) override;
  absl::StatusOr<v1::EstimatePlanResponse> EstimatePlan(
      const v1::EstimatePlanRequest& request) override;
  absl::StatusOr<v1::GetJobDurationsResponse> GetJobDurations(
      const v1::GetJobDurationsRequest& request) override;
  absl::StatusOr<v1::DiffRevisionsResponse> DiffRevisions(
      const v1::DiffRevisionsRequest& request) override;
  absl::StatusOr<v1::DiffRunsResponse> DiffRuns(
      const v1::DiffRunsRequest& request) override;
  absl::StatusOr<v1::ListTakesResponse> ListTakes(
      const v1::ListTakesRequest& request) override;
  absl::StatusOr<v1::ListLeavesResponse> ListLeaves(
      const v1::ListLeavesRequest& request) override;

 private:
  struct Stub;  // keeps the generated header out of this one
  const std::unique_ptr<Stub> stub_;
  const RemotePlannerOptions options_;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_PLANNER_CLIENT_H_

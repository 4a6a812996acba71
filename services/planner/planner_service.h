// A PlannerRpcService serves a Planner as kinora.v1.PlannerService.

#ifndef KINORA_SERVICES_PLANNER_PLANNER_SERVICE_H_
#define KINORA_SERVICES_PLANNER_PLANNER_SERVICE_H_

#include "common/threads/executor.h"
#include "kinora/v1/planner.grpc.pb.h"
#include "services/planner/planner.h"

namespace kinora {

// Thread-safe. Work is done on the executor; reactions never block.
class PlannerRpcService final : public v1::PlannerService::CallbackService {
 public:
  // Both MUST outlive the server.
  PlannerRpcService(Planner& planner, Executor& executor)
      : planner_(planner), executor_(executor) {}

  grpc::ServerUnaryReactor* ValidateBlueprint(
      grpc::CallbackServerContext* context,
      const v1::ValidateBlueprintRequest* request,
      v1::ValidateBlueprintResponse* response) override;

  grpc::ServerUnaryReactor* ValidateInputs(
      grpc::CallbackServerContext* context,
      const v1::ValidateInputsRequest* request,
      v1::ValidateInputsResponse* response) override;

  // 1. The first task makes the plan and sends the header. 2. Each further one
  // sends some jobs of a layer, until there are no more.
  grpc::ServerWriteReactor<v1::CreatePlanResponse>* CreatePlan(
      grpc::CallbackServerContext* context,
      const v1::CreatePlanRequest* request) override;

  grpc::ServerUnaryReactor* ExpandDeferredGroup(
      grpc::CallbackServerContext* context,
      const v1::ExpandDeferredGroupRequest* request,
      v1::ExpandDeferredGroupResponse* response) override;

  grpc::ServerUnaryReactor* RenderGraph(
      grpc::CallbackServerContext* context,
      const v1::RenderGraphRequest* request,
      v1::RenderGraphResponse* response) override;

  grpc::ServerUnaryReactor* ExplainArtefact(
      grpc::CallbackServerContext* context,
      const v1::ExplainArtefactRequest* request,
      v1::ExplainArtefactResponse* response) override;

  grpc::ServerUnaryReactor* EstimatePlan(
      grpc::CallbackServerContext* context,
      const v1::EstimatePlanRequest* request,
      v1::EstimatePlanResponse* response) override;

  grpc::ServerUnaryReactor* GetJobDurations(
      grpc::CallbackServerContext* context,
      const v1::GetJobDurationsRequest* request,
      v1::GetJobDurationsResponse* response) override;

  grpc::ServerUnaryReactor* DiffRevisions(
      grpc::CallbackServerContext* context,
      const v1::DiffRevisionsRequest* request,
      v1::DiffRevisionsResponse* response) override;

  grpc::ServerUnaryReactor* DiffRuns(grpc::CallbackServerContext* context,
                                     const v1::DiffRunsRequest* request,
                                     v1::DiffRunsResponse* response) override;

  grpc::ServerUnaryReactor* ListTakes(grpc::CallbackServerContext* context,
                                      const v1::ListTakesRequest* request,
                                      v1::ListTakesResponse* response) override;

  grpc::ServerUnaryReactor* ListLeaves(
      grpc::CallbackServerContext* context,
      const v1::ListLeavesRequest* request,
      v1::ListLeavesResponse* response) override;

 private:
  Planner& planner_;
  Executor& executor_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLANNER_SERVICE_H_

// PlanRpcService serves PlanService over RPC from a PlanStore.

#ifndef KINORA_SERVICES_STORE_PLAN_SERVICE_H_
#define KINORA_SERVICES_STORE_PLAN_SERVICE_H_

#include "common/threads/executor.h"
#include "kinora/v1/plan.grpc.pb.h"
#include "services/store/plan/plan_store.h"

namespace kinora {

class PlanRpcService final : public v1::PlanService::CallbackService {
 public:
  // Both MUST outlive the server.
  PlanRpcService(PlanStore& plans, Executor& executor)
      : plans_(plans), executor_(executor) {}

  grpc::ServerReadReactor<v1::SavePlanRequest>* SavePlan(
      grpc::CallbackServerContext* context,
      v1::SavePlanResponse* response) override;
  grpc::ServerWriteReactor<v1::LoadPlanResponse>* LoadPlan(
      grpc::CallbackServerContext* context,
      const v1::LoadPlanRequest* request) override;
  grpc::ServerUnaryReactor* SaveProgress(
      grpc::CallbackServerContext* context,
      const v1::SaveProgressRequest* request,
      v1::SaveProgressResponse* response) override;
  grpc::ServerUnaryReactor* LoadProgress(
      grpc::CallbackServerContext* context,
      const v1::LoadProgressRequest* request,
      v1::LoadProgressResponse* response) override;

 private:
  PlanStore& plans_;
  Executor& executor_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_PLAN_SERVICE_H_

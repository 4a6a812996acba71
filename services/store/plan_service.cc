#include "services/store/plan_service.h"

#include <string>

#include "common/rpc/document_stream.h"
#include "common/rpc/pull_stream.h"
#include "common/rpc/unary.h"

namespace kinora {

grpc::ServerReadReactor<v1::SavePlanRequest>* PlanRpcService::SavePlan(
    grpc::CallbackServerContext* context, v1::SavePlanResponse* response) {
  return TakeDocument<v1::SavePlanRequest>(
      context, executor_, response, "plan",
      [this](const v1::SavePlanHeader& header, const std::string& json) {
        return plans_.Save(header, json);
      });
}

grpc::ServerWriteReactor<v1::LoadPlanResponse>* PlanRpcService::LoadPlan(
    grpc::CallbackServerContext* context, const v1::LoadPlanRequest* request) {
  return PullStream<v1::LoadPlanResponse>::Start(
      context, executor_,
      LoadedBytesSource<v1::LoadPlanResponse>(
          [this, request = *request](v1::LoadPlanResponse*) {
            return plans_.Load(request);
          }));
}

grpc::ServerUnaryReactor* PlanRpcService::SaveProgress(
    grpc::CallbackServerContext* context,
    const v1::SaveProgressRequest* request,
    v1::SaveProgressResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::SaveProgressRequest& r) {
                      return plans_.SaveProgress(r);
                    });
}

grpc::ServerUnaryReactor* PlanRpcService::LoadProgress(
    grpc::CallbackServerContext* context,
    const v1::LoadProgressRequest* request,
    v1::LoadProgressResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::LoadProgressRequest& r) {
                      return plans_.LoadProgress(r);
                    });
}

}  // namespace kinora

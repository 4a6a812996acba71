#include "services/planner/planner_service.h"

#include <optional>
#include <utility>

#include "common/rpc/pull_stream.h"
#include "common/rpc/unary.h"

namespace kinora {
namespace {

// Well below the message limit, and few enough messages for a large plan.
constexpr size_t kMaxChunkBytes = 512 << 10;

// Hands a plan out message by message.
class PlanSource {
 public:
  PlanSource(Planner& planner, v1::CreatePlanRequest request)
      : planner_(planner), request_(std::move(request)) {}

  absl::StatusOr<bool> Next(v1::CreatePlanResponse* response) {
    if (!plan_.has_value()) {
      absl::StatusOr<CreatedPlan> plan = planner_.CreatePlan(request_);
      if (!plan.ok()) return plan.status();
      plan_ = *std::move(plan);
      *response->mutable_header() = std::move(plan_->header);
      return true;
    }
    if (layer_ == plan_->layers.size()) return false;
    v1::PlanLayer& layer = plan_->layers[layer_];
    v1::PlanLayerChunk& chunk = *response->mutable_layer();
    chunk.set_layer(static_cast<uint32_t>(layer_));
    size_t bytes = 0;
    while (job_ < layer.jobs_size() && bytes < kMaxChunkBytes) {
      v1::PlannedJob& job = *layer.mutable_jobs(job_++);
      bytes += job.ByteSizeLong();
      *chunk.add_jobs() = std::move(job);
    }
    if (job_ == layer.jobs_size()) {
      ++layer_;
      job_ = 0;
    }
    return true;
  }

 private:
  Planner& planner_;
  const v1::CreatePlanRequest request_;
  std::optional<CreatedPlan> plan_;
  size_t layer_ = 0;
  int job_ = 0;
};

}  // namespace

grpc::ServerUnaryReactor* PlannerRpcService::ValidateBlueprint(
    grpc::CallbackServerContext* context,
    const v1::ValidateBlueprintRequest* request,
    v1::ValidateBlueprintResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::ValidateBlueprintRequest& r) {
                      return planner_.ValidateBlueprint(r);
                    });
}

grpc::ServerUnaryReactor* PlannerRpcService::ValidateInputs(
    grpc::CallbackServerContext* context,
    const v1::ValidateInputsRequest* request,
    v1::ValidateInputsResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::ValidateInputsRequest& r) {
                      return planner_.ValidateInputs(r);
                    });
}

grpc::ServerWriteReactor<v1::CreatePlanResponse>* PlannerRpcService::CreatePlan(
    grpc::CallbackServerContext* context,
    const v1::CreatePlanRequest* request) {
  return PullStream<v1::CreatePlanResponse>::Start(
      context, executor_,
      [source = PlanSource(planner_, *request)](
          v1::CreatePlanResponse* response) mutable {
        return source.Next(response);
      });
}

grpc::ServerUnaryReactor* PlannerRpcService::ExpandDeferredGroup(
    grpc::CallbackServerContext* context,
    const v1::ExpandDeferredGroupRequest* request,
    v1::ExpandDeferredGroupResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::ExpandDeferredGroupRequest& r) {
                      CallStop never;
                      return planner_.ExpandDeferredGroup(r, never);
                    });
}

grpc::ServerUnaryReactor* PlannerRpcService::RenderGraph(
    grpc::CallbackServerContext* context, const v1::RenderGraphRequest* request,
    v1::RenderGraphResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::RenderGraphRequest& r) {
                      return planner_.RenderGraph(r);
                    });
}

grpc::ServerUnaryReactor* PlannerRpcService::ExplainArtefact(
    grpc::CallbackServerContext* context,
    const v1::ExplainArtefactRequest* request,
    v1::ExplainArtefactResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::ExplainArtefactRequest& r) {
                      return planner_.ExplainArtefact(r);
                    });
}

grpc::ServerUnaryReactor* PlannerRpcService::EstimatePlan(
    grpc::CallbackServerContext* context,
    const v1::EstimatePlanRequest* request,
    v1::EstimatePlanResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::EstimatePlanRequest& r) {
                      return planner_.EstimatePlan(r);
                    });
}

grpc::ServerUnaryReactor* PlannerRpcService::GetJobDurations(
    grpc::CallbackServerContext* context,
    const v1::GetJobDurationsRequest* request,
    v1::GetJobDurationsResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::GetJobDurationsRequest& r) {
                      return planner_.GetJobDurations(r);
                    });
}

grpc::ServerUnaryReactor* PlannerRpcService::DiffRevisions(
    grpc::CallbackServerContext* context,
    const v1::DiffRevisionsRequest* request,
    v1::DiffRevisionsResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::DiffRevisionsRequest& r) {
                      return planner_.DiffRevisions(r);
                    });
}

grpc::ServerUnaryReactor* PlannerRpcService::DiffRuns(
    grpc::CallbackServerContext* context, const v1::DiffRunsRequest* request,
    v1::DiffRunsResponse* response) {
  return ServeUnary(
      context, executor_, request, response,
      [this](const v1::DiffRunsRequest& r) { return planner_.DiffRuns(r); });
}

grpc::ServerUnaryReactor* PlannerRpcService::ListTakes(
    grpc::CallbackServerContext* context, const v1::ListTakesRequest* request,
    v1::ListTakesResponse* response) {
  return ServeUnary(
      context, executor_, request, response,
      [this](const v1::ListTakesRequest& r) { return planner_.ListTakes(r); });
}

grpc::ServerUnaryReactor* PlannerRpcService::ListLeaves(
    grpc::CallbackServerContext* context, const v1::ListLeavesRequest* request,
    v1::ListLeavesResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::ListLeavesRequest& r) {
                      return planner_.ListLeaves(r);
                    });
}

}  // namespace kinora

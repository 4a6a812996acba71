#include "clients/cpp/planner_client.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"

#include "common/rpc/status.h"
#include "common/rpc/unary.h"
#include "kinora/v1/planner.grpc.pb.h"

namespace kinora {

struct RemotePlanner::Stub {
  using Type = v1::PlannerService::Stub;
  std::unique_ptr<Type> stub;
};

RemotePlanner::RemotePlanner(std::shared_ptr<grpc::Channel> channel,
                             const RemotePlannerOptions& options)
    : stub_(std::make_unique<Stub>()), options_(options) {
  stub_->stub = v1::PlannerService::NewStub(std::move(channel));
}

RemotePlanner::~RemotePlanner() = default;

absl::StatusOr<v1::ValidateBlueprintResponse> RemotePlanner::ValidateBlueprint(
    const v1::ValidateBlueprintRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::ValidateBlueprint, request,
                   options_.timeout);
}

absl::StatusOr<v1::ValidateInputsResponse> RemotePlanner::ValidateInputs(
    const v1::ValidateInputsRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::ValidateInputs, request,
                   options_.timeout);
}

absl::StatusOr<v1::ExpandDeferredGroupResponse>
RemotePlanner::ExpandDeferredGroup(
    const v1::ExpandDeferredGroupRequest& request, CallStop& stop) {
  grpc::ClientContext context;
  SetTimeout(context, options_.expansion_timeout);
  v1::ExpandDeferredGroupResponse response;
  const CallStop::Way way(stop, [&context] { context.TryCancel(); });
  const grpc::Status status =
      stub_->stub->ExpandDeferredGroup(&context, request, &response);
  if (!status.ok()) return FromGrpcStatus(status);
  return response;
}

absl::StatusOr<v1::RenderGraphResponse> RemotePlanner::RenderGraph(
    const v1::RenderGraphRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::RenderGraph, request,
                   options_.timeout);
}

absl::StatusOr<v1::ExplainArtefactResponse> RemotePlanner::ExplainArtefact(
    const v1::ExplainArtefactRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::ExplainArtefact, request,
                   options_.plan_timeout);
}

absl::StatusOr<v1::EstimatePlanResponse> RemotePlanner::EstimatePlan(
    const v1::EstimatePlanRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::EstimatePlan, request,
                   options_.plan_timeout);
}

absl::StatusOr<v1::GetJobDurationsResponse> RemotePlanner::GetJobDurations(
    const v1::GetJobDurationsRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::GetJobDurations, request,
                   options_.durations_timeout);
}

absl::StatusOr<v1::DiffRevisionsResponse> RemotePlanner::DiffRevisions(
    const v1::DiffRevisionsRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::DiffRevisions, request,
                   options_.plan_timeout);
}

absl::StatusOr<v1::DiffRunsResponse> RemotePlanner::DiffRuns(
    const v1::DiffRunsRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::DiffRuns, request,
                   options_.plan_timeout);
}

absl::StatusOr<v1::ListTakesResponse> RemotePlanner::ListTakes(
    const v1::ListTakesRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::ListTakes, request,
                   options_.plan_timeout);
}

absl::StatusOr<v1::ListLeavesResponse> RemotePlanner::ListLeaves(
    const v1::ListLeavesRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::ListLeaves, request,
                   options_.plan_timeout);
}

absl::StatusOr<CreatedPlan> RemotePlanner::CreatePlan(
    const v1::CreatePlanRequest& request) {
  grpc::ClientContext context;
  SetTimeout(context, options_.plan_timeout);
  auto reader = stub_->stub->CreatePlan(&context, request);
  CreatedPlan plan;
  bool has_header = false;
  bool in_order = true;
  v1::CreatePlanResponse message;
  while (reader->Read(&message)) {
    if (message.has_header()) {
      in_order = in_order && !has_header;
      has_header = true;
      plan.header = std::move(*message.mutable_header());
      continue;
    }
    // A layer may take several messages; layers come in order.
    size_t layer = message.layer().layer();
    in_order = in_order && has_header && layer <= plan.layers.size() &&
               layer + 1 >= plan.layers.size();
    if (!in_order) continue;
    if (layer == plan.layers.size()) plan.layers.emplace_back();
    for (v1::PlannedJob& job : *message.mutable_layer()->mutable_jobs()) {
      *plan.layers[layer].add_jobs() = std::move(job);
    }
  }
  const grpc::Status status = reader->Finish();
  if (!status.ok()) return FromGrpcStatus(status);
  if (!has_header || !in_order) {
    return absl::InternalError(
        absl::StrCat("the planner's answer for movie ", request.movie_id(),
                     " is not a header followed by layers in order"));
  }
  return plan;
}

}  // namespace kinora

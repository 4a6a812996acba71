#include "services/store/plan_service.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/rpc/pull_stream.h"
#include "common/rpc/read_stream.h"
#include "common/rpc/unary.h"
#include "common/status.h"

namespace kinora {
namespace {

// A plan is held in memory while it arrives: ten times that of 100,000 jobs.
constexpr size_t kMaxPlanBytes = size_t{1} << 30;

// The state of one upload.
struct Upload {
  bool begun = false;
  v1::SavePlanHeader header;
  std::string json;

  absl::Status Consume(const v1::SavePlanRequest& request) {
    if (request.has_header() == begun) {
      return InvalidField("header", request.header().movie_id(),
                          begun ? "must come once" : "must come first");
    }
    if (!begun) {
      begun = true;
      header = request.header();
      return absl::OkStatus();
    }
    if (json.size() + request.data().size() > kMaxPlanBytes) {
      return WithReason(
          absl::ResourceExhaustedError(absl::StrCat("the plan is larger than ",
                                                    kMaxPlanBytes, " bytes")),
          "LIMIT_EXCEEDED");
    }
    json += request.data();
    return absl::OkStatus();
  }
};

}  // namespace

grpc::ServerReadReactor<v1::SavePlanRequest>* PlanRpcService::SavePlan(
    grpc::CallbackServerContext* context, v1::SavePlanResponse* response) {
  using Stream = ReadStream<v1::SavePlanRequest, v1::SavePlanResponse>;
  auto upload = std::make_shared<Upload>();
  Stream::Consumer consumer;
  consumer.consume = [upload](const v1::SavePlanRequest& request) {
    return upload->Consume(request);
  };
  consumer.finish = [this, upload]() -> absl::StatusOr<v1::SavePlanResponse> {
    if (!upload->begun) return InvalidField("header", "", "must come first");
    return plans_.Save(upload->header, upload->json);
  };
  return Stream::Start(context, executor_, response, std::move(consumer));
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

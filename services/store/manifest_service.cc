#include "services/store/manifest_service.h"

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

// A manifest is held in memory while it arrives: ten times that of 100,000
// artefacts.
constexpr size_t kMaxManifestBytes = size_t{1} << 30;

// The state of one publication.
struct Upload {
  bool begun = false;
  v1::PublishManifestHeader header;
  std::string json;

  absl::Status Consume(const v1::PublishManifestRequest& request) {
    if (request.has_header() == begun) {
      return InvalidField("header", request.header().movie_id(),
                          begun ? "must come once" : "must come first");
    }
    if (!begun) {
      begun = true;
      header = request.header();
      return absl::OkStatus();
    }
    if (json.size() + request.data().size() > kMaxManifestBytes) {
      return WithReason(
          absl::ResourceExhaustedError(absl::StrCat(
              "the manifest is larger than ", kMaxManifestBytes, " bytes")),
          "LIMIT_EXCEEDED");
    }
    json += request.data();
    return absl::OkStatus();
  }
};

}  // namespace

grpc::ServerUnaryReactor* ManifestRpcService::GetCurrentManifest(
    grpc::CallbackServerContext* context,
    const v1::GetCurrentManifestRequest* request,
    v1::GetCurrentManifestResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::GetCurrentManifestRequest& r) {
                      return manifests_.GetCurrent(r);
                    });
}

grpc::ServerWriteReactor<v1::GetManifestResponse>*
ManifestRpcService::GetManifest(grpc::CallbackServerContext* context,
                                const v1::GetManifestRequest* request) {
  return PullStream<v1::GetManifestResponse>::Start(
      context, executor_,
      LoadedBytesSource<v1::GetManifestResponse>(
          [this, request = *request](
              v1::GetManifestResponse* first) -> absl::StatusOr<std::string> {
            KINORA_ASSIGN_OR_RETURN(StoredManifest manifest,
                                    manifests_.Get(request));
            *first->mutable_pointer() = std::move(manifest.pointer);
            return std::move(manifest.json);
          }));
}

grpc::ServerUnaryReactor* ManifestRpcService::ListManifests(
    grpc::CallbackServerContext* context,
    const v1::ListManifestsRequest* request,
    v1::ListManifestsResponse* response) {
  return ServeUnary(
      context, executor_, request, response,
      [this](const v1::ListManifestsRequest& r) { return manifests_.List(r); });
}

grpc::ServerWriteReactor<v1::BuildManifestResponse>*
ManifestRpcService::BuildManifest(grpc::CallbackServerContext* context,
                                  const v1::BuildManifestRequest* request) {
  return PullStream<v1::BuildManifestResponse>::Start(
      context, executor_,
      LoadedBytesSource<v1::BuildManifestResponse>(
          [this, request = *request](
              v1::BuildManifestResponse* first) -> absl::StatusOr<std::string> {
            KINORA_ASSIGN_OR_RETURN(StoredManifest manifest,
                                    manifests_.Build(request));
            *first->mutable_pointer() = std::move(manifest.pointer);
            return std::move(manifest.json);
          }));
}

grpc::ServerReadReactor<v1::PublishManifestRequest>*
ManifestRpcService::PublishManifest(grpc::CallbackServerContext* context,
                                    v1::PublishManifestResponse* response) {
  using Stream =
      ReadStream<v1::PublishManifestRequest, v1::PublishManifestResponse>;
  auto upload = std::make_shared<Upload>();
  Stream::Consumer consumer;
  consumer.consume = [upload](const v1::PublishManifestRequest& request) {
    return upload->Consume(request);
  };
  consumer.finish = [this,
                     upload]() -> absl::StatusOr<v1::PublishManifestResponse> {
    if (!upload->begun) return InvalidField("header", "", "must come first");
    return manifests_.Publish(upload->header, upload->json);
  };
  return Stream::Start(context, executor_, response, std::move(consumer));
}

grpc::ServerUnaryReactor* ManifestRpcService::CommitRevision(
    grpc::CallbackServerContext* context,
    const v1::CommitRevisionRequest* request,
    v1::CommitRevisionResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::CommitRevisionRequest& r) {
                      return manifests_.Commit(r);
                    });
}

grpc::ServerUnaryReactor* ManifestRpcService::RevertRevision(
    grpc::CallbackServerContext* context,
    const v1::RevertRevisionRequest* request,
    v1::RevertRevisionResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::RevertRevisionRequest& r) {
                      return manifests_.Revert(r);
                    });
}

}  // namespace kinora

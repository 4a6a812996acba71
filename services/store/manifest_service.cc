#include "services/store/manifest_service.h"

#include <string>
#include <utility>

#include "common/rpc/document_stream.h"
#include "common/rpc/pull_stream.h"
#include "common/rpc/unary.h"
#include "common/status.h"

namespace kinora {

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
  return TakeDocument<v1::PublishManifestRequest>(
      context, executor_, response, "manifest",
      [this](const v1::PublishManifestHeader& header, const std::string& json) {
        return manifests_.Publish(header, json);
      });
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

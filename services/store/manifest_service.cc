#include "services/store/manifest_service.h"

#include <utility>

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

grpc::ServerUnaryReactor* ManifestRpcService::CommitRevision(
    grpc::CallbackServerContext* context,
    const v1::CommitRevisionRequest* request,
    v1::CommitRevisionResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::CommitRevisionRequest& r) {
                      return manifests_.Commit(r);
                    });
}

}  // namespace kinora

// ManifestRpcService serves ManifestService over RPC from a ManifestStore.

#ifndef KINORA_SERVICES_STORE_MANIFEST_SERVICE_H_
#define KINORA_SERVICES_STORE_MANIFEST_SERVICE_H_

#include "common/threads/executor.h"
#include "kinora/v1/manifest.grpc.pb.h"
#include "services/store/manifest/manifest_store.h"

namespace kinora {

class ManifestRpcService final : public v1::ManifestService::CallbackService {
 public:
  // Both MUST outlive the server.
  ManifestRpcService(ManifestStore& manifests, Executor& executor)
      : manifests_(manifests), executor_(executor) {}

  grpc::ServerUnaryReactor* GetCurrentManifest(
      grpc::CallbackServerContext* context,
      const v1::GetCurrentManifestRequest* request,
      v1::GetCurrentManifestResponse* response) override;
  grpc::ServerWriteReactor<v1::GetManifestResponse>* GetManifest(
      grpc::CallbackServerContext* context,
      const v1::GetManifestRequest* request) override;
  grpc::ServerUnaryReactor* ListManifests(
      grpc::CallbackServerContext* context,
      const v1::ListManifestsRequest* request,
      v1::ListManifestsResponse* response) override;
  grpc::ServerWriteReactor<v1::BuildManifestResponse>* BuildManifest(
      grpc::CallbackServerContext* context,
      const v1::BuildManifestRequest* request) override;
  grpc::ServerReadReactor<v1::PublishManifestRequest>* PublishManifest(
      grpc::CallbackServerContext* context,
      v1::PublishManifestResponse* response) override;
  grpc::ServerUnaryReactor* CommitRevision(
      grpc::CallbackServerContext* context,
      const v1::CommitRevisionRequest* request,
      v1::CommitRevisionResponse* response) override;
  grpc::ServerUnaryReactor* RevertRevision(
      grpc::CallbackServerContext* context,
      const v1::RevertRevisionRequest* request,
      v1::RevertRevisionResponse* response) override;

 private:
  ManifestStore& manifests_;
  Executor& executor_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_MANIFEST_SERVICE_H_

// BlobRpcService serves BlobService over RPC from a BlobStore.
//
// Streams hold one piece at a time: WriteBlob hands it on before it reads the
// next one, ReadBlob asks the store for one after the other is written.

#ifndef KINORA_SERVICES_STORE_BLOB_SERVICE_H_
#define KINORA_SERVICES_STORE_BLOB_SERVICE_H_

#include <utility>

#include "common/executor.h"
#include "kinora/v1/blob.grpc.pb.h"
#include "services/store/blob/blob_store.h"

namespace kinora {

class BlobRpcService final : public v1::BlobService::CallbackService {
 public:
  // Store and executor MUST outlive the server.
  BlobRpcService(BlobStore& blobs, Executor& executor,
                 v1::GetCapabilitiesResponse capabilities)
      : blobs_(blobs),
        executor_(executor),
        capabilities_(std::move(capabilities)) {}

  grpc::ServerReadReactor<v1::WriteBlobRequest>* WriteBlob(
      grpc::CallbackServerContext* context,
      v1::WriteBlobResponse* response) override;
  grpc::ServerWriteReactor<v1::ReadBlobResponse>* ReadBlob(
      grpc::CallbackServerContext* context,
      const v1::ReadBlobRequest* request) override;
  grpc::ServerUnaryReactor* BatchWriteBlobs(
      grpc::CallbackServerContext* context,
      const v1::BatchWriteBlobsRequest* request,
      v1::BatchWriteBlobsResponse* response) override;
  grpc::ServerUnaryReactor* BatchReadBlobs(
      grpc::CallbackServerContext* context,
      const v1::BatchReadBlobsRequest* request,
      v1::BatchReadBlobsResponse* response) override;
  grpc::ServerUnaryReactor* FindMissingBlobs(
      grpc::CallbackServerContext* context,
      const v1::FindMissingBlobsRequest* request,
      v1::FindMissingBlobsResponse* response) override;
  grpc::ServerUnaryReactor* StatBlob(grpc::CallbackServerContext* context,
                                     const v1::StatBlobRequest* request,
                                     v1::StatBlobResponse* response) override;
  grpc::ServerUnaryReactor* GetCapabilities(
      grpc::CallbackServerContext* context,
      const v1::GetCapabilitiesRequest* request,
      v1::GetCapabilitiesResponse* response) override;

 private:
  BlobStore& blobs_;
  Executor& executor_;
  const v1::GetCapabilitiesResponse capabilities_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BLOB_SERVICE_H_

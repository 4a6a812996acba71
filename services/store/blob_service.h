// BlobRpcService serves BlobService over RPC from a BlobStore.
//
// Streams hold one piece at a time: WriteBlob hands it on before it reads the
// next one, ReadBlob asks the store for one after the other is written.

#ifndef KINORA_SERVICES_STORE_BLOB_SERVICE_H_
#define KINORA_SERVICES_STORE_BLOB_SERVICE_H_

#include <cstddef>
#include <memory>
#include <utility>

#include "common/rpc/data_message.h"
#include "common/threads/executor.h"
// The raw variants of methods hide the typed ones.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverloaded-virtual"
#include "kinora/v1/blob.grpc.pb.h"
#pragma GCC diagnostic pop
#include "services/store/blob/blob_store.h"

namespace kinora {

// Bytes of a blob in one message of a download.
inline constexpr size_t kReadBlobBytes = size_t{1} << 20;

// The streams come and go as raw bytes
// (common/rpc/data_message.h).
using BlobStreamsRaw = v1::BlobService::WithRawCallbackMethod_WriteBlob<
    v1::BlobService::WithRawCallbackMethod_ReadBlob<
        v1::BlobService::CallbackService>>;

class BlobRpcService final : public BlobStreamsRaw {
 public:
  // Store and executor MUST outlive the server.
  BlobRpcService(BlobStore& blobs, Executor& executor,
                 v1::GetCapabilitiesResponse capabilities)
      : blobs_(blobs),
        executor_(executor),
        capabilities_(std::move(capabilities)),
        buffers_(std::make_shared<DataBuffers>(kReadBlobBytes)) {}

  grpc::ServerReadReactor<grpc::ByteBuffer>* WriteBlob(
      grpc::CallbackServerContext* context,
      grpc::ByteBuffer* response) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* ReadBlob(
      grpc::CallbackServerContext* context,
      const grpc::ByteBuffer* request) override;
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
  const std::shared_ptr<DataBuffers> buffers_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BLOB_SERVICE_H_

// A RemoteBlobStore is a BlobStore over a channel. See
// clients/cpp/remote_store.h.
//
// The bytes of streams go past protobuf (common/rpc/data_message.h). A
// generated stub has no such streams, but what it is made of has: hence the
// methods here.

#ifndef KINORA_CLIENTS_CPP_REMOTE_BLOB_STORE_H_
#define KINORA_CLIENTS_CPP_REMOTE_BLOB_STORE_H_

#include <cstddef>
#include <memory>

#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "grpcpp/impl/rpc_method.h"

#include "common/rpc/data_message.h"
#include "kinora/v1/blob.grpc.pb.h"
#include "services/store/blob/blob_store.h"

namespace kinora {

class RemoteBlobStore final : public BlobStore {
 public:
  RemoteBlobStore(const std::shared_ptr<grpc::Channel>& channel,
                  absl::Duration timeout, absl::Duration stream_timeout)
      : channel_(channel),
        stub_(v1::BlobService::NewStub(channel)),
        timeout_(timeout),
        stream_timeout_(stream_timeout),
        buffers_(std::make_shared<DataBuffers>(kUploadBytes)),
        write_blob_("/kinora.v1.BlobService/WriteBlob",
                    grpc::internal::RpcMethod::CLIENT_STREAMING, channel),
        read_blob_("/kinora.v1.BlobService/ReadBlob",
                   grpc::internal::RpcMethod::SERVER_STREAMING, channel) {}

  // Never fails: what is wrong with the header comes out of Append() or
  // Finish().
  absl::StatusOr<std::unique_ptr<BlobUpload>> StartUpload(
      const v1::WriteBlobHeader& header) override;
  absl::Status Read(const v1::ReadBlobRequest& request, Sink sink) override;
  absl::StatusOr<v1::BatchWriteBlobsResponse> BatchWrite(
      const v1::BatchWriteBlobsRequest& request) override;
  absl::StatusOr<v1::BatchReadBlobsResponse> BatchRead(
      const v1::BatchReadBlobsRequest& request) override;
  absl::StatusOr<v1::FindMissingBlobsResponse> FindMissing(
      const v1::FindMissingBlobsRequest& request) override;
  absl::StatusOr<v1::StatBlobResponse> Stat(
      const v1::StatBlobRequest& request) override;

 private:
  using Stub = v1::BlobService::Stub;

  // Bytes in one message of an upload.
  static constexpr size_t kUploadBytes = size_t{1} << 20;

  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<Stub> stub_;
  const absl::Duration timeout_;
  const absl::Duration stream_timeout_;
  const std::shared_ptr<DataBuffers> buffers_;
  const grpc::internal::RpcMethod write_blob_;
  const grpc::internal::RpcMethod read_blob_;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_REMOTE_BLOB_STORE_H_

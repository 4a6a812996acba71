// A RemoteBlobStore is a BlobStore over a channel. See
// clients/cpp/remote_store.h.

#ifndef KINORA_CLIENTS_CPP_REMOTE_BLOB_STORE_H_
#define KINORA_CLIENTS_CPP_REMOTE_BLOB_STORE_H_

#include <memory>

#include "absl/time/time.h"
#include "grpcpp/channel.h"

#include "kinora/v1/blob.grpc.pb.h"
#include "services/store/blob/blob_store.h"

namespace kinora {

class RemoteBlobStore final : public BlobStore {
 public:
  RemoteBlobStore(const std::shared_ptr<grpc::Channel>& channel,
                  absl::Duration timeout, absl::Duration stream_timeout)
      : stub_(v1::BlobService::NewStub(channel)),
        timeout_(timeout),
        stream_timeout_(stream_timeout) {}

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

  const std::unique_ptr<Stub> stub_;
  const absl::Duration timeout_;
  const absl::Duration stream_timeout_;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_REMOTE_BLOB_STORE_H_

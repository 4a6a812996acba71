#include "clients/cpp/remote_blob_store.h"

#include "clients/cpp/client_stream.h"

namespace kinora {
namespace {

using WriteStream = UploadStream<v1::WriteBlobRequest, v1::WriteBlobResponse>;

class RemoteBlobUpload final : public BlobUpload {
 public:
  RemoteBlobUpload(v1::BlobService::Stub& stub,
                   const v1::WriteBlobRequest& header, absl::Duration timeout)
      : stream_(stub, &v1::BlobService::Stub::WriteBlob, header, timeout) {}

  absl::Status Append(absl::string_view bytes) override {
    return stream_.Append(bytes);
  }
  absl::StatusOr<v1::WriteBlobResponse> Finish() override {
    return stream_.Finish();
  }

 private:
  WriteStream stream_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<BlobUpload>> RemoteBlobStore::StartUpload(
    const v1::WriteBlobHeader& header) {
  v1::WriteBlobRequest request;
  *request.mutable_header() = header;
  return std::make_unique<RemoteBlobUpload>(*stub_, request, stream_timeout_);
}

absl::Status RemoteBlobStore::Read(const v1::ReadBlobRequest& request,
                                   Sink sink) {
  return ReadStreamToEnd<Stub, v1::ReadBlobRequest, v1::ReadBlobResponse>(
      *stub_, &Stub::ReadBlob, request, stream_timeout_,
      [&](v1::ReadBlobResponse& response) { return sink(response.data()); });
}

absl::StatusOr<v1::BatchWriteBlobsResponse> RemoteBlobStore::BatchWrite(
    const v1::BatchWriteBlobsRequest& request) {
  return CallUnary(*stub_, &Stub::BatchWriteBlobs, request, timeout_);
}

absl::StatusOr<v1::BatchReadBlobsResponse> RemoteBlobStore::BatchRead(
    const v1::BatchReadBlobsRequest& request) {
  return CallUnary(*stub_, &Stub::BatchReadBlobs, request, timeout_);
}

absl::StatusOr<v1::FindMissingBlobsResponse> RemoteBlobStore::FindMissing(
    const v1::FindMissingBlobsRequest& request) {
  return CallUnary(*stub_, &Stub::FindMissingBlobs, request, timeout_);
}

absl::StatusOr<v1::StatBlobResponse> RemoteBlobStore::Stat(
    const v1::StatBlobRequest& request) {
  return CallUnary(*stub_, &Stub::StatBlob, request, timeout_);
}

}  // namespace kinora

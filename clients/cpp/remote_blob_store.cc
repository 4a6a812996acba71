#include "clients/cpp/remote_blob_store.h"

#include <algorithm>
#include <utility>

#include "clients/cpp/client_stream.h"
#include "common/status.h"

namespace kinora {
namespace {

using UploadMessages = UploadCall<grpc::ByteBuffer, v1::WriteBlobResponse>;

// Each byte is copied once, into memory that gRPC may hold on to.
class RemoteBlobUpload final : public BlobUpload {
 public:
  template <typename Open>
  RemoteBlobUpload(absl::Duration timeout, Open open,
                   std::shared_ptr<DataBuffers> buffers)
      : call_(timeout, open), buffers_(std::move(buffers)) {}

  void Begin(const grpc::ByteBuffer& header) {
    call_.Write(header).IgnoreError();  // Append() or Finish() tells
  }

  absl::Status Append(absl::string_view bytes) override {
    absl::Status status;
    while (!bytes.empty() && status.ok()) {
      const absl::string_view piece = bytes.substr(0, buffers_->bytes());
      bytes.remove_prefix(piece.size());
      char* const buffer = buffers_->Take();
      std::copy(piece.begin(), piece.end(), buffer);
      status = call_.Write(DataMessage(buffers_->Wrap(buffer, piece.size())));
    }
    return status;
  }

  absl::StatusOr<v1::WriteBlobResponse> Finish() override {
    return call_.Finish();
  }

 private:
  UploadMessages call_;
  const std::shared_ptr<DataBuffers> buffers_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<BlobUpload>> RemoteBlobStore::StartUpload(
    const v1::WriteBlobHeader& header) {
  v1::WriteBlobRequest request;
  *request.mutable_header() = header;
  KINORA_ASSIGN_OR_RETURN(const grpc::ByteBuffer message,
                          SerializeMessage(request));
  auto upload = std::make_unique<RemoteBlobUpload>(
      stream_timeout_,
      [this](grpc::ClientContext* context, v1::WriteBlobResponse* response) {
        return UploadMessages::Writer(
            grpc::internal::ClientWriterFactory<grpc::ByteBuffer>::Create(
                channel_.get(), write_blob_, context, response));
      },
      buffers_);
  upload->Begin(message);
  return upload;
}

absl::Status RemoteBlobStore::Read(const v1::ReadBlobRequest& request,
                                   Sink sink) {
  const auto open = [&](grpc::ClientContext* context) {
    return std::unique_ptr<grpc::ClientReader<grpc::ByteBuffer>>(
        grpc::internal::ClientReaderFactory<grpc::ByteBuffer>::Create(
            channel_.get(), read_blob_, context, request));
  };
  DataParts data;
  const auto consume = [&](grpc::ByteBuffer& message) -> absl::Status {
    if (!data.Read(message)) {
      v1::ReadBlobResponse response;
      KINORA_RETURN_IF_ERROR(ParseMessage(message, &response));
      return sink(response.data());
    }
    for (absl::string_view part : data.parts()) {
      KINORA_RETURN_IF_ERROR(sink(part));
    }
    return absl::OkStatus();
  };
  return ReadCallToEnd<grpc::ByteBuffer>(stream_timeout_, open, consume);
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

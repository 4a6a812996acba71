#include "services/store/blob_service.h"

#include <memory>

#include "common/rpc/pull_stream.h"
#include "common/rpc/read_stream.h"
#include "common/rpc/unary.h"
#include "common/status.h"

namespace kinora {
namespace {

// The state of one upload.
class Upload {
 public:
  explicit Upload(BlobStore& blobs) : blobs_(blobs) {}

  absl::Status Consume(const grpc::ByteBuffer& message) {
    if (upload_ != nullptr && data_.Read(message)) {
      return upload_->AppendParts(data_.parts());
    }
    v1::WriteBlobRequest request;
    KINORA_RETURN_IF_ERROR(ParseMessage(message, &request));
    switch (request.message_case()) {
      case v1::WriteBlobRequest::kHeader:
        return Begin(request.header());
      case v1::WriteBlobRequest::kData:
        if (upload_ == nullptr) return NoHeader();
        return upload_->Append(request.data());
      case v1::WriteBlobRequest::MESSAGE_NOT_SET:
        break;
    }
    return InvalidField("message", "", "must be a header or data");
  }

  absl::StatusOr<grpc::ByteBuffer> Finish() {
    if (upload_ == nullptr) return NoHeader();
    KINORA_ASSIGN_OR_RETURN(const v1::WriteBlobResponse response,
                            upload_->Finish());
    return SerializeMessage(response);
  }

 private:
  static absl::Status NoHeader() {
    return InvalidField("header", "", "must come first");
  }

  absl::Status Begin(const v1::WriteBlobHeader& header) {
    if (upload_ != nullptr) {
      return InvalidField("header", header.movie_id(), "must come once");
    }
    KINORA_ASSIGN_OR_RETURN(upload_, blobs_.StartUpload(header));
    return absl::OkStatus();
  }

  BlobStore& blobs_;
  std::unique_ptr<BlobUpload> upload_;
  DataParts data_;
};

// The state of one download.
class Download {
 public:
  Download(BlobStore& blobs, std::shared_ptr<DataBuffers> buffers,
           grpc::ByteBuffer request)
      : blobs_(blobs),
        buffers_(std::move(buffers)),
        request_(std::move(request)) {}

  absl::StatusOr<bool> Next(grpc::ByteBuffer* message) {
    if (reader_ == nullptr) {
      v1::ReadBlobRequest request;
      KINORA_RETURN_IF_ERROR(ParseMessage(request_, &request));
      KINORA_ASSIGN_OR_RETURN(reader_, blobs_.StartRead(request));
    }
    char* const buffer = buffers_->Take();
    const absl::StatusOr<size_t> got =
        reader_->Read(absl::MakeSpan(buffer, buffers_->bytes()));
    if (!got.ok() || *got == 0) {
      buffers_->Return(buffer);
      if (!got.ok()) return got.status();
      return false;
    }
    *message = DataMessage(buffers_->Wrap(buffer, *got));
    return true;
  }

 private:
  BlobStore& blobs_;
  const std::shared_ptr<DataBuffers> buffers_;
  const grpc::ByteBuffer request_;
  std::unique_ptr<BlobReader> reader_;
};

}  // namespace

grpc::ServerReadReactor<grpc::ByteBuffer>* BlobRpcService::WriteBlob(
    grpc::CallbackServerContext* context, grpc::ByteBuffer* response) {
  using Stream = ReadStream<grpc::ByteBuffer, grpc::ByteBuffer>;
  auto upload = std::make_shared<Upload>(blobs_);
  Stream::Consumer consumer;
  consumer.consume = [upload](const grpc::ByteBuffer& message) {
    return upload->Consume(message);
  };
  consumer.finish = [upload] { return upload->Finish(); };
  return Stream::Start(context, executor_, response, std::move(consumer));
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* BlobRpcService::ReadBlob(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  auto download = std::make_unique<Download>(blobs_, buffers_, *request);
  return PullStream<grpc::ByteBuffer>::Start(
      context, executor_,
      [download = std::move(download)](grpc::ByteBuffer* message) {
        return download->Next(message);
      });
}

grpc::ServerUnaryReactor* BlobRpcService::BatchWriteBlobs(
    grpc::CallbackServerContext* context,
    const v1::BatchWriteBlobsRequest* request,
    v1::BatchWriteBlobsResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::BatchWriteBlobsRequest& r) {
                      return blobs_.BatchWrite(r);
                    });
}

grpc::ServerUnaryReactor* BlobRpcService::BatchReadBlobs(
    grpc::CallbackServerContext* context,
    const v1::BatchReadBlobsRequest* request,
    v1::BatchReadBlobsResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::BatchReadBlobsRequest& r) {
                      return blobs_.BatchRead(r);
                    });
}

grpc::ServerUnaryReactor* BlobRpcService::FindMissingBlobs(
    grpc::CallbackServerContext* context,
    const v1::FindMissingBlobsRequest* request,
    v1::FindMissingBlobsResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::FindMissingBlobsRequest& r) {
                      return blobs_.FindMissing(r);
                    });
}

grpc::ServerUnaryReactor* BlobRpcService::StatBlob(
    grpc::CallbackServerContext* context, const v1::StatBlobRequest* request,
    v1::StatBlobResponse* response) {
  return ServeUnary(
      context, executor_, request, response,
      [this](const v1::StatBlobRequest& r) { return blobs_.Stat(r); });
}

grpc::ServerUnaryReactor* BlobRpcService::GetCapabilities(
    grpc::CallbackServerContext* context,
    const v1::GetCapabilitiesRequest* /*request*/,
    v1::GetCapabilitiesResponse* response) {
  *response = capabilities_;
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

}  // namespace kinora

#include "services/store/blob_service.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/rpc/pull_stream.h"
#include "common/rpc/read_stream.h"
#include "common/rpc/unary.h"
#include "common/status.h"

namespace kinora {
namespace {

// One read of the store each; the cost of opening the object is spread.
constexpr int64_t kReadChunkBytes = 1 << 20;

// The state of one upload.
class Upload {
 public:
  explicit Upload(BlobStore& blobs) : blobs_(blobs) {}

  absl::Status Consume(const v1::WriteBlobRequest& request) {
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

  absl::StatusOr<v1::WriteBlobResponse> Finish() {
    if (upload_ == nullptr) return NoHeader();
    return upload_->Finish();
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
};

// The state of one download.
class Download {
 public:
  Download(BlobStore& blobs, const v1::ReadBlobRequest& request)
      : blobs_(blobs), request_(request) {}

  absl::StatusOr<bool> Next(v1::ReadBlobResponse* response) {
    if (!begun_) KINORA_RETURN_IF_ERROR(Begin());
    if (done_) return false;
    v1::ReadBlobRequest request = request_;
    request.set_offset(offset_);
    request.set_limit(std::min(kReadChunkBytes, end_ - offset_));
    request.set_verify(false);
    KINORA_RETURN_IF_ERROR(
        blobs_.Read(request, [&](absl::string_view bytes) -> absl::Status {
          absl::StrAppend(response->mutable_data(), bytes);
          return absl::OkStatus();
        }));
    if (request_.verify()) hash_.Update(response->data());
    offset_ += static_cast<int64_t>(response->data().size());
    done_ = offset_ >= end_ || response->data().empty();
    if (done_) KINORA_RETURN_IF_ERROR(Verify());
    return true;
  }

 private:
  absl::Status Begin() {
    begun_ = true;
    if (request_.offset() < 0) {
      return InvalidField("offset", absl::StrCat(request_.offset()),
                          "must not be negative");
    }
    if (request_.limit() < 0) {
      return InvalidField("limit", absl::StrCat(request_.limit()),
                          "must not be negative");
    }
    if (request_.verify() &&
        (request_.offset() != 0 || request_.limit() != 0)) {
      return InvalidField("verify", "true", "needs offset 0 and no limit");
    }
    v1::StatBlobRequest stat;
    stat.set_movie_id(request_.movie_id());
    *stat.mutable_digest() = request_.digest();
    KINORA_ASSIGN_OR_RETURN(const v1::StatBlobResponse found,
                            blobs_.Stat(stat));
    const int64_t size = found.digest().size_bytes();
    offset_ = request_.offset();
    if (offset_ > size) {
      return absl::OutOfRangeError(absl::StrCat(
          "offset: ", offset_, " is past the end of blob ",
          request_.digest().hash(), ", which has ", size, " bytes"));
    }
    end_ = request_.limit() == 0
               ? size
               : offset_ + std::min(request_.limit(), size - offset_);
    // The store is not asked for nothing, as a limit of 0 stands for all.
    done_ = offset_ == end_;
    return done_ ? Verify() : absl::OkStatus();
  }

  absl::Status Verify() {
    if (offset_ < end_) {
      return WithReason(absl::DataLossError(absl::StrCat(
                            "blob ", request_.digest().hash(), " of movie ",
                            request_.movie_id(), " ends at byte ", offset_)),
                        "DATA_CORRUPT");
    }
    if (!request_.verify()) return absl::OkStatus();
    const std::string hash = hash_.Finish().Hex();
    if (hash == request_.digest().hash()) return absl::OkStatus();
    return WithReason(
        absl::DataLossError(absl::StrCat(
            "blob ", request_.digest().hash(), " of movie ",
            request_.movie_id(), " is damaged: its bytes have hash ", hash)),
        "DATA_CORRUPT");
  }

  BlobStore& blobs_;
  const v1::ReadBlobRequest request_;
  Sha256 hash_;
  int64_t offset_ = 0;
  int64_t end_ = 0;
  bool begun_ = false;
  bool done_ = false;
};

}  // namespace

grpc::ServerReadReactor<v1::WriteBlobRequest>* BlobRpcService::WriteBlob(
    grpc::CallbackServerContext* context, v1::WriteBlobResponse* response) {
  using Stream = ReadStream<v1::WriteBlobRequest, v1::WriteBlobResponse>;
  auto upload = std::make_shared<Upload>(blobs_);
  Stream::Consumer consumer;
  consumer.consume = [upload](const v1::WriteBlobRequest& request) {
    return upload->Consume(request);
  };
  consumer.finish = [upload] { return upload->Finish(); };
  return Stream::Start(context, executor_, response, std::move(consumer));
}

grpc::ServerWriteReactor<v1::ReadBlobResponse>* BlobRpcService::ReadBlob(
    grpc::CallbackServerContext* context, const v1::ReadBlobRequest* request) {
  auto download = std::make_unique<Download>(blobs_, *request);
  return PullStream<v1::ReadBlobResponse>::Start(
      context, executor_,
      [download = std::move(download)](v1::ReadBlobResponse* response) {
        return download->Next(response);
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

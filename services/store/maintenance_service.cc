#include "services/store/maintenance_service.h"

#include <algorithm>
#include <string>

#include "common/error_reason.h"
#include "common/rpc/push_stream.h"
#include "common/rpc/take_stream.h"
#include "common/rpc/unary.h"
#include "common/status.h"

namespace kinora {
namespace {

// The copy's bytes as they come; a message has at most kStreamChunkBytes.
absl::Status SendBytes(absl::string_view bytes,
                       PushStream<v1::BackUpMovieResponse>::Send send) {
  while (!bytes.empty()) {
    v1::BackUpMovieResponse message;
    message.set_data(std::string(bytes.substr(0, kStreamChunkBytes)));
    bytes.remove_prefix(message.data().size());
    KINORA_RETURN_IF_ERROR(send(std::move(message)));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::RestoreMovieResponse> Restore(
    MaintenanceStore& maintenance,
    TakeStream<v1::RestoreMovieRequest, v1::RestoreMovieResponse>::Take take) {
  v1::RestoreMovieRequest message;
  KINORA_ASSIGN_OR_RETURN(bool more, take(&message));
  if (!more || message.message_case() != v1::RestoreMovieRequest::kMovieId) {
    return InvalidField("movie_id", "", "must come first");
  }
  const std::string movie_id = message.movie_id();
  return maintenance.RestoreMovie(
      movie_id, [&]() -> absl::StatusOr<std::string> {
        // An empty piece is not the end.
        do {
          KINORA_ASSIGN_OR_RETURN(more, take(&message));
          if (!more) return std::string();
          if (message.message_case() != v1::RestoreMovieRequest::kData) {
            return InvalidField("message", "", "must be data after the first");
          }
        } while (message.data().empty());
        return std::move(*message.mutable_data());
      });
}

}  // namespace

grpc::ServerWriteReactor<v1::CollectGarbageResponse>*
MaintenanceRpcService::CollectGarbage(
    grpc::CallbackServerContext* context,
    const v1::CollectGarbageRequest* request) {
  using Stream = PushStream<v1::CollectGarbageResponse>;
  return Stream::Start(context, executor_,
                       [this, request = *request](Stream::Send send) {
                         return maintenance_.CollectGarbage(request, send);
                       });
}

grpc::ServerUnaryReactor* MaintenanceRpcService::ExplainBlob(
    grpc::CallbackServerContext* context, const v1::ExplainBlobRequest* request,
    v1::ExplainBlobResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::ExplainBlobRequest& r) {
                      return maintenance_.ExplainBlob(r);
                    });
}

grpc::ServerWriteReactor<v1::VerifyMovieResponse>*
MaintenanceRpcService::VerifyMovie(grpc::CallbackServerContext* context,
                                   const v1::VerifyMovieRequest* request) {
  using Stream = PushStream<v1::VerifyMovieResponse>;
  return Stream::Start(context, executor_,
                       [this, request = *request](Stream::Send send) {
                         return maintenance_.VerifyMovie(request, send);
                       });
}

grpc::ServerUnaryReactor* MaintenanceRpcService::CheckpointMovie(
    grpc::CallbackServerContext* context,
    const v1::CheckpointMovieRequest* request,
    v1::CheckpointMovieResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::CheckpointMovieRequest& r) {
                      return maintenance_.CheckpointMovie(r);
                    });
}

grpc::ServerUnaryReactor* MaintenanceRpcService::ScanReadableFiles(
    grpc::CallbackServerContext* context,
    const v1::ScanReadableFilesRequest* request,
    v1::ScanReadableFilesResponse* response) {
  return ServeUnary(context, scans_.For(request->movie_id()), request, response,
                    [this](const v1::ScanReadableFilesRequest& r) {
                      return maintenance_.ScanReadableFiles(r);
                    });
}

grpc::ServerUnaryReactor* MaintenanceRpcService::PruneMovie(
    grpc::CallbackServerContext* context, const v1::PruneMovieRequest* request,
    v1::PruneMovieResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::PruneMovieRequest& r) {
                      return maintenance_.PruneMovie(r);
                    });
}

grpc::ServerWriteReactor<v1::BackUpMovieResponse>*
MaintenanceRpcService::BackUpMovie(grpc::CallbackServerContext* context,
                                   const v1::BackUpMovieRequest* request) {
  using Stream = PushStream<v1::BackUpMovieResponse>;
  return Stream::Start(
      context, executor_, [this, request = *request](Stream::Send send) {
        return maintenance_.BackUpMovie(request, [&](absl::string_view bytes) {
          return SendBytes(bytes, send);
        });
      });
}

grpc::ServerReadReactor<v1::RestoreMovieRequest>*
MaintenanceRpcService::RestoreMovie(grpc::CallbackServerContext* context,
                                    v1::RestoreMovieResponse* response) {
  using Stream = TakeStream<v1::RestoreMovieRequest, v1::RestoreMovieResponse>;
  return Stream::Start(context, executor_, response, [this](Stream::Take take) {
    return Restore(maintenance_, take);
  });
}

grpc::ServerUnaryReactor* MaintenanceRpcService::GetStatistics(
    grpc::CallbackServerContext* context,
    const v1::GetStatisticsRequest* request,
    v1::GetStatisticsResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::GetStatisticsRequest& r) {
                      return maintenance_.GetStatistics(r);
                    });
}

grpc::ServerUnaryReactor* MaintenanceRpcService::GetServerInfo(
    grpc::CallbackServerContext* context,
    const v1::GetServerInfoRequest* /*request*/,
    v1::GetServerInfoResponse* response) {
  *response = info_;
  if (read_only_reason_) response->set_read_only_reason(read_only_reason_());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

}  // namespace kinora

#include "clients/cpp/remote_maintenance_store.h"

#include "clients/cpp/client_stream.h"
#include "common/status.h"

namespace kinora {

absl::Status RemoteMaintenanceStore::CollectGarbage(
    const v1::CollectGarbageRequest& request,
    absl::FunctionRef<absl::Status(const v1::CollectGarbageResponse&)> report) {
  return ReadStreamToEnd<Stub, v1::CollectGarbageRequest,
                         v1::CollectGarbageResponse>(
      *stub_, &Stub::CollectGarbage, request, timeout_, report);
}

absl::StatusOr<v1::ExplainBlobResponse> RemoteMaintenanceStore::ExplainBlob(
    const v1::ExplainBlobRequest& request) {
  return CallUnary(*stub_, &Stub::ExplainBlob, request, timeout_);
}

absl::Status RemoteMaintenanceStore::VerifyMovie(
    const v1::VerifyMovieRequest& request,
    absl::FunctionRef<absl::Status(const v1::VerifyMovieResponse&)> report) {
  return ReadStreamToEnd<Stub, v1::VerifyMovieRequest, v1::VerifyMovieResponse>(
      *stub_, &Stub::VerifyMovie, request, timeout_, report);
}

absl::StatusOr<v1::CheckpointMovieResponse>
RemoteMaintenanceStore::CheckpointMovie(
    const v1::CheckpointMovieRequest& request) {
  return CallUnary(*stub_, &Stub::CheckpointMovie, request, timeout_);
}

absl::StatusOr<v1::ScanReadableFilesResponse>
RemoteMaintenanceStore::ScanReadableFiles(
    const v1::ScanReadableFilesRequest& request) {
  return CallUnary(*stub_, &Stub::ScanReadableFiles, request, timeout_);
}

absl::StatusOr<v1::PruneMovieResponse> RemoteMaintenanceStore::PruneMovie(
    const v1::PruneMovieRequest& request) {
  return CallUnary(*stub_, &Stub::PruneMovie, request, timeout_);
}

absl::StatusOr<v1::GetStatisticsResponse> RemoteMaintenanceStore::GetStatistics(
    const v1::GetStatisticsRequest& request) {
  return CallUnary(*stub_, &Stub::GetStatistics, request, timeout_);
}

absl::Status RemoteMaintenanceStore::BackUpMovie(
    const v1::BackUpMovieRequest& request,
    absl::FunctionRef<absl::Status(absl::string_view)> write) {
  auto consume = [&](v1::BackUpMovieResponse& response) {
    return write(response.data());
  };
  return ReadStreamToEnd<Stub, v1::BackUpMovieRequest, v1::BackUpMovieResponse>(
      *stub_, &Stub::BackUpMovie, request, timeout_, consume);
}

absl::StatusOr<v1::RestoreMovieResponse> RemoteMaintenanceStore::RestoreMovie(
    absl::string_view movie_id,
    absl::FunctionRef<absl::StatusOr<std::string>()> read) {
  v1::RestoreMovieRequest first;
  first.set_movie_id(std::string(movie_id));
  UploadStream<v1::RestoreMovieRequest, v1::RestoreMovieResponse> stream(
      *stub_, &Stub::RestoreMovie, first, timeout_);
  while (true) {
    KINORA_ASSIGN_OR_RETURN(const std::string bytes, read());
    if (bytes.empty()) return stream.Finish();
    KINORA_RETURN_IF_ERROR(stream.Append(bytes));
  }
}

absl::StatusOr<v1::GetServerInfoResponse> RemoteMaintenanceStore::GetServerInfo(
    absl::Duration timeout) {
  return CallUnary(*stub_, &Stub::GetServerInfo, v1::GetServerInfoRequest(),
                   timeout);
}

}  // namespace kinora

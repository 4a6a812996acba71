// A RemoteMaintenanceStore is a MaintenanceStore over a channel. See
// clients/cpp/remote_store.h.

#ifndef KINORA_CLIENTS_CPP_REMOTE_MAINTENANCE_STORE_H_
#define KINORA_CLIENTS_CPP_REMOTE_MAINTENANCE_STORE_H_

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "grpcpp/channel.h"

#include "kinora/v1/maintenance.grpc.pb.h"
#include "services/store/maintenance/maintenance_store.h"

namespace kinora {

class RemoteMaintenanceStore final : public MaintenanceStore {
 public:
  RemoteMaintenanceStore(const std::shared_ptr<grpc::Channel>& channel,
                         absl::Duration timeout)
      : stub_(v1::MaintenanceService::NewStub(channel)), timeout_(timeout) {}

  absl::Status CollectGarbage(
      const v1::CollectGarbageRequest& request,
      absl::FunctionRef<absl::Status(const v1::CollectGarbageResponse&)> report)
      override;
  absl::StatusOr<v1::ExplainBlobResponse> ExplainBlob(
      const v1::ExplainBlobRequest& request) override;
  absl::Status VerifyMovie(
      const v1::VerifyMovieRequest& request,
      absl::FunctionRef<absl::Status(const v1::VerifyMovieResponse&)> report)
      override;
  absl::StatusOr<v1::CheckpointMovieResponse> CheckpointMovie(
      const v1::CheckpointMovieRequest& request) override;
  absl::StatusOr<v1::ScanReadableFilesResponse> ScanReadableFiles(
      const v1::ScanReadableFilesRequest& request) override;
  absl::StatusOr<v1::PruneMovieResponse> PruneMovie(
      const v1::PruneMovieRequest& request) override;
  absl::StatusOr<v1::GetStatisticsResponse> GetStatistics(
      const v1::GetStatisticsRequest& request) override;
  absl::Status BackUpMovie(
      const v1::BackUpMovieRequest& request,
      absl::FunctionRef<absl::Status(absl::string_view)> write) override;

  // An error of `read` cancels the call.
  absl::StatusOr<v1::RestoreMovieResponse> RestoreMovie(
      absl::string_view movie_id,
      absl::FunctionRef<absl::StatusOr<std::string>()> read) override;

  absl::StatusOr<v1::GetServerInfoResponse> GetServerInfo(
      absl::Duration timeout);

 private:
  using Stub = v1::MaintenanceService::Stub;

  const std::unique_ptr<Stub> stub_;
  const absl::Duration timeout_;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_REMOTE_MAINTENANCE_STORE_H_

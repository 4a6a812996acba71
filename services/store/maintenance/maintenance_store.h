// A MaintenanceStore keeps a store healthy: collection, verification,
// checkpoints, retention, copies, statistics. Implementations: StoreMaintenance
// in this process, RemoteMaintenanceStore over RPC.
//
// The methods are the calls of MaintenanceService (kinora/v1/maintenance.proto)
// and have its errors. The long ones hand out what they have done as they go;
// an error of the callback ends them and is returned.

#ifndef KINORA_SERVICES_STORE_MAINTENANCE_MAINTENANCE_STORE_H_
#define KINORA_SERVICES_STORE_MAINTENANCE_MAINTENANCE_STORE_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/maintenance.pb.h"

namespace kinora {

// Thread-safe. Calls may take long and block.
class MaintenanceStore {
 public:
  virtual ~MaintenanceStore() = default;

  virtual absl::Status CollectGarbage(
      const v1::CollectGarbageRequest& request,
      absl::FunctionRef<absl::Status(const v1::CollectGarbageResponse&)>
          report) = 0;
  virtual absl::StatusOr<v1::ExplainBlobResponse> ExplainBlob(
      const v1::ExplainBlobRequest& request) = 0;
  virtual absl::Status VerifyMovie(
      const v1::VerifyMovieRequest& request,
      absl::FunctionRef<absl::Status(const v1::VerifyMovieResponse&)>
          report) = 0;
  virtual absl::StatusOr<v1::CheckpointMovieResponse> CheckpointMovie(
      const v1::CheckpointMovieRequest& request) = 0;
  virtual absl::StatusOr<v1::ScanReadableFilesResponse> ScanReadableFiles(
      const v1::ScanReadableFilesRequest& request) = 0;
  virtual absl::StatusOr<v1::PruneMovieResponse> PruneMovie(
      const v1::PruneMovieRequest& request) = 0;
  virtual absl::StatusOr<v1::GetStatisticsResponse> GetStatistics(
      const v1::GetStatisticsRequest& request) = 0;

  // Hands the copy's bytes to `write`, in order.
  virtual absl::Status BackUpMovie(
      const v1::BackUpMovieRequest& request,
      absl::FunctionRef<absl::Status(absl::string_view)> write) = 0;

  // Takes the copy's next bytes from `read`; empty at its end. Whatever fails,
  // there is no such movie afterwards.
  virtual absl::StatusOr<v1::RestoreMovieResponse> RestoreMovie(
      absl::string_view movie_id,
      absl::FunctionRef<absl::StatusOr<std::string>()> read) = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_MAINTENANCE_MAINTENANCE_STORE_H_

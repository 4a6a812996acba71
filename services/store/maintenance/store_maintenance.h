// A StoreMaintenance is the MaintenanceStore of a store in this process. It
// holds no logic: every call is a part of its own, in the folder its name says
// (gc, verify, checkpoint, retention, backup, readable, statistics).

#ifndef KINORA_SERVICES_STORE_MAINTENANCE_STORE_MAINTENANCE_H_
#define KINORA_SERVICES_STORE_MAINTENANCE_STORE_MAINTENANCE_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/clock.h"
#include "services/store/blob/object_blob_store.h"
#include "services/store/checkpoint/checkpoint_movie.h"
#include "services/store/event/event_log.h"
#include "services/store/event/log_event_store.h"
#include "services/store/lease/lease_table.h"
#include "services/store/maintenance/maintenance_store.h"
#include "services/store/manifest/log_manifest_store.h"
#include "services/store/movie/movie_catalog.h"
#include "services/store/movie/object_movie_store.h"
#include "services/store/object/object_storage.h"
#include "services/store/readable/readable_scan.h"

namespace kinora {

// What the parts work on: the drivers and cores of one store. Borrowed.
struct StoreCores {
  ObjectStorage& storage;
  EventLog& log;
  MovieCatalog& catalog;
  LeaseTable& leases;
  ObjectBlobStore& blobs;
  LogEventStore& events;
  LogManifestStore& manifests;
  ObjectMovieStore& movies;
  Clock& clock;
};

// Thread-safe.
class StoreMaintenance final : public MaintenanceStore {
 public:
  // All cores MUST outlive this.
  explicit StoreMaintenance(const StoreCores& cores) : cores_(cores) {}

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
  absl::StatusOr<v1::RestoreMovieResponse> RestoreMovie(
      absl::string_view movie_id,
      absl::FunctionRef<absl::StatusOr<std::string>()> read) override;

 private:
  const StoreCores cores_;
  RemovalsUnderWay removals_;
  ScansUnderWay scans_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_MAINTENANCE_STORE_MAINTENANCE_H_

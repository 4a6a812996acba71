#include "services/store/maintenance/store_maintenance.h"

#include "common/status.h"
#include "services/store/backup/movie_backup.h"
#include "services/store/backup/movie_restoration.h"
#include "services/store/gc/collector.h"
#include "services/store/readable/readable_scan.h"
#include "services/store/retention/movie_pruning.h"
#include "services/store/statistics/movie_statistics.h"
#include "services/store/verify/directories_check.h"
#include "services/store/verify/movie_verifier.h"

namespace kinora {
namespace {

CollectorParts PartsOf(const StoreCores& cores) {
  return CollectorParts{.storage = cores.storage,
                        .log = cores.log,
                        .catalog = cores.catalog,
                        .manifests = cores.manifests,
                        .blobs = cores.blobs,
                        .readable = cores.events.readable(),
                        .clock = cores.clock};
}

}  // namespace

absl::Status StoreMaintenance::CollectGarbage(
    const v1::CollectGarbageRequest& request,
    absl::FunctionRef<absl::Status(const v1::CollectGarbageResponse&)> report) {
  return kinora::CollectGarbage(PartsOf(cores_), request, report);
}

absl::StatusOr<v1::ExplainBlobResponse> StoreMaintenance::ExplainBlob(
    const v1::ExplainBlobRequest& request) {
  return kinora::ExplainBlob(PartsOf(cores_), request);
}

absl::Status StoreMaintenance::VerifyMovie(
    const v1::VerifyMovieRequest& request,
    absl::FunctionRef<absl::Status(const v1::VerifyMovieResponse&)> report) {
  if (request.movie_id().empty()) {
    return CheckDirectories(cores_.storage, cores_.movies, report);
  }
  const absl::Status known = cores_.catalog.Require(request.movie_id());
  // A movie whose file is damaged can be verified all the same.
  if (!absl::IsDataLoss(known)) {
    KINORA_RETURN_IF_ERROR(known);
  }
  return kinora::VerifyMovie(request,
                             {.storage = cores_.storage,
                              .log = cores_.log,
                              .catalog = cores_.catalog,
                              .events = cores_.events,
                              .manifests = cores_.manifests},
                             report);
}

absl::StatusOr<v1::CheckpointMovieResponse> StoreMaintenance::CheckpointMovie(
    const v1::CheckpointMovieRequest& request) {
  return kinora::CheckpointMovie({.storage = cores_.storage,
                                  .log = cores_.log,
                                  .catalog = cores_.catalog,
                                  .events = cores_.events,
                                  .manifests = cores_.manifests},
                                 removals_, request);
}

absl::StatusOr<v1::ScanReadableFilesResponse>
StoreMaintenance::ScanReadableFiles(
    const v1::ScanReadableFilesRequest& request) {
  KINORA_RETURN_IF_ERROR(cores_.catalog.Require(request.movie_id()));
  return kinora::ScanReadableFiles(request,
                                   {.storage = cores_.storage,
                                    .leases = cores_.leases,
                                    .blobs = cores_.blobs,
                                    .events = cores_.events,
                                    .manifests = cores_.manifests},
                                   scans_);
}

absl::StatusOr<v1::PruneMovieResponse> StoreMaintenance::PruneMovie(
    const v1::PruneMovieRequest& request) {
  return kinora::PruneMovie(request, {.storage = cores_.storage,
                                      .log = cores_.log,
                                      .catalog = cores_.catalog,
                                      .events = cores_.events,
                                      .leases = cores_.leases});
}

absl::StatusOr<v1::GetStatisticsResponse> StoreMaintenance::GetStatistics(
    const v1::GetStatisticsRequest& request) {
  KINORA_RETURN_IF_ERROR(cores_.catalog.Require(request.movie_id()));
  return kinora::GetStatistics(
      request,
      {.storage = cores_.storage, .log = cores_.log, .events = cores_.events});
}

absl::Status StoreMaintenance::BackUpMovie(
    const v1::BackUpMovieRequest& request,
    absl::FunctionRef<absl::Status(absl::string_view)> write) {
  return kinora::BackUpMovie(request,
                             {.storage = cores_.storage,
                              .log = cores_.log,
                              .catalog = cores_.catalog,
                              .events = cores_.events,
                              .manifests = cores_.manifests,
                              .clock = cores_.clock},
                             write);
}

absl::StatusOr<v1::RestoreMovieResponse> StoreMaintenance::RestoreMovie(
    absl::string_view movie_id,
    absl::FunctionRef<absl::StatusOr<std::string>()> read) {
  return kinora::RestoreMovie(movie_id,
                              {.storage = cores_.storage,
                               .log = cores_.log,
                               .catalog = cores_.catalog,
                               .events = cores_.events,
                               .movies = cores_.movies},
                              read);
}

}  // namespace kinora

// The part of Runner that records edits by hand of readable files before a run
// that has waited for its turn is planned. Who starts one at once has looked
// already, or wants none; who queues it cannot, as the movie is not free.

#include "common/error_reason.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/runner/runner.h"

namespace kinora {

absl::Status Runner::RecordHandEdits(const std::string& movie_id) {
  // What was left open goes first, and is not to meet a scan.
  KINORA_ASSIGN_OR_RETURN(const std::vector<v1::RunRecord> open,
                          OpenRunsOf(movie_id));
  if (!open.empty()) return absl::OkStatus();
  v1::ScanReadableFilesRequest request;
  request.set_movie_id(movie_id);
  request.set_dry_run(true);
  absl::StatusOr<v1::ScanReadableFilesResponse> scanned =
      deps_.store.maintenance.ScanReadableFiles(request);
  // The movie is not held where nothing was edited.
  if (scanned.ok() && !scanned->artefact_ids().empty()) {
    request.set_dry_run(false);
    scanned = deps_.store.maintenance.ScanReadableFiles(request);
  }
  // A store without files to edit, or somebody else has the movie.
  if (absl::IsFailedPrecondition(scanned.status())) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(scanned.status());
  if (!request.dry_run()) {
    for (const std::string& id : scanned->artefact_ids()) {
      LogInfo("edit by hand recorded", {{"movie", movie_id}, {"artefact", id}});
    }
  }
  for (const v1::SkippedReadableFile& file : scanned->skipped()) {
    LogWarning("a readable file cannot be taken",
               {{"movie", movie_id},
                {"path", file.path()},
                {"artefact", file.artefact_id()},
                {"reason", file.reason()}});
  }
  return absl::OkStatus();
}

}  // namespace kinora

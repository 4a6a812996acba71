#include "clients/cli/hand_edits.h"

#include <cstdio>
#include <utility>

#include "absl/status/statusor.h"

#include "clients/cli/connection.h"
#include "common/error_reason.h"
#include "common/status.h"

namespace kinora {
namespace {

using Scanned = absl::StatusOr<v1::ScanReadableFilesResponse>;

Scanned Scan(const Invocation& call, const std::string& movie_id,
             bool dry_run) {
  v1::ScanReadableFilesRequest request;
  request.set_movie_id(movie_id);
  request.set_dry_run(dry_run);
  MaintenanceStore& maintenance = call.connection.store().maintenance;
  Scanned scanned = maintenance.ScanReadableFiles(request);
  // One that was so slow that a run took the movie from it: the next says so,
  // or records what is left.
  if (ReasonOf(scanned.status()) == "LEASE_LOST") {
    scanned = maintenance.ScanReadableFiles(request);
  }
  return scanned;
}

bool IsInUse(const Scanned& scanned) {
  return ReasonOf(scanned.status()) == "RUN_ACTIVE";
}

}  // namespace

absl::Status TakeHandEdits(const Invocation& call, const std::string& movie_id,
                           HandEdits how) {
  const char* said = "recorded the edit by hand of";
  const char* why = "";
  Scanned scanned = Scan(call, movie_id, how != HandEdits::kRecord);
  if ((how == HandEdits::kRecordIfAny || how == HandEdits::kRecordInTurn) &&
      scanned.ok() && !scanned->artefact_ids().empty()) {
    scanned = Scan(call, movie_id, /*dry_run=*/false);
  }
  if (how == HandEdits::kTell) {
    said = "does not count the edit by hand of";
  } else if (IsInUse(scanned)) {
    if (how == HandEdits::kRecordInTurn) {
      said = "will record the edit by hand of";
      why = ", when the run begins";
    } else {
      said = "does not count the edit by hand of";
      why = ": a run is active";
    }
    scanned = Scan(call, movie_id, /*dry_run=*/true);
  }
  // A store without files to edit.
  if (absl::IsFailedPrecondition(scanned.status())) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(scanned.status());
  for (const std::string& id : scanned->artefact_ids()) {
    std::fprintf(stderr, "kinora: %s %s%s\n", said, id.c_str(), why);
  }
  for (const v1::SkippedReadableFile& file : scanned->skipped()) {
    std::fprintf(stderr, "kinora: skipped %s of %s: %s\n", file.path().c_str(),
                 file.artefact_id().c_str(), file.reason().c_str());
  }
  return absl::OkStatus();
}

}  // namespace kinora

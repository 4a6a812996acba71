// Finds readable files that were edited by hand and records each edit as an
// event of the user's.
//
// Such an event says of its artefact what the event before it said (inputs
// hash, node, producer, settings, dependencies, path), but for the value, the
// run, which is empty, and `edited_by`, which is the user. So it is the newest
// result for the key the artefact has now: it holds until an input of its job
// changes, and the value before it is still in the log.

#ifndef KINORA_SERVICES_STORE_READABLE_READABLE_SCAN_H_
#define KINORA_SERVICES_STORE_READABLE_READABLE_SCAN_H_

#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"

#include "common/threads/mutex.h"
#include "kinora/v1/maintenance.pb.h"
#include "services/store/blob/blob_store.h"
#include "services/store/event/log_event_store.h"
#include "services/store/lease/lease_store.h"
#include "services/store/manifest/manifest_store.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Borrowed.
struct ReadableScanCores {
  ObjectStorage& storage;
  LeaseStore& leases;
  BlobStore& blobs;
  LogEventStore& events;
  ManifestStore& manifests;
};

// The movies that are being scanned right now. All scans have one holder and
// purpose, so the lease alone would let them in together: each would record the
// same edits, and the first to end take the lease from the others. Thread-safe.
class ScansUnderWay {
 public:
  // A scan of a movie, from when those that came before have ended.
  class Turn {
   public:
    Turn(ScansUnderWay& scans, const std::string& movie_id);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    ScansUnderWay& scans_;
    const std::string movie_id_;
  };

 private:
  Mutex mu_;
  CondVar ended_;
  absl::flat_hash_set<std::string> movies_ ABSL_GUARDED_BY(mu_);
};

// MaintenanceService.ScanReadableFiles on a movie that exists. Holds the
// movie's lease while it looks and records, so that no run does at the same
// time: FAILED_PRECONDITION (RUN_ACTIVE) if there is one; of several scans of a
// movie one goes on at a time, and the next finds what is left. A file that
// cannot be taken, also an edited one that is not what its media type says, is
// told as skipped; all others are recorded. A dry run takes no lease and writes
// nothing. Waits on the caller's thread: who serves many callers has them wait
// without one, as MaintenanceRpcService does.
absl::StatusOr<v1::ScanReadableFilesResponse> ScanReadableFiles(
    const v1::ScanReadableFilesRequest& request, const ReadableScanCores& cores,
    ScansUnderWay& scans);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_READABLE_READABLE_SCAN_H_

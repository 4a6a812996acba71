// Checking the manifests of a movie against its logs.

#ifndef KINORA_SERVICES_STORE_VERIFY_MANIFESTS_CHECK_H_
#define KINORA_SERVICES_STORE_VERIFY_MANIFESTS_CHECK_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "kinora/v1/event.pb.h"
#include "services/store/event/log_event_store.h"
#include "services/store/manifest/log_manifest_store.h"
#include "services/store/manifest/manifest_replay.h"
#include "services/store/object/object_storage.h"
#include "services/store/retention/retention_record.h"
#include "services/store/verify/verify_report.h"

namespace kinora {

// REQUIRES: the logs of inputs and artefacts are intact. Safe beside commits
// and pruning. Not thread-safe.
class ManifestsCheck {
 public:
  // All MUST outlive the check.
  ManifestsCheck(ObjectStorage& storage, LogEventStore& events,
                 LogManifestStore& manifests, const std::string& movie_id,
                 VerifyReport& report)
      : storage_(storage),
        events_(events),
        manifests_(manifests),
        movie_id_(movie_id),
        report_(report) {}

  // That each manifest is there, has its hash and can be rebuilt, and that
  // there are no others. A missing one that `retention` does not name as pruned
  // is a problem only if `retention_known`.
  absl::Status CheckAll(const RetentionRecord& retention, bool retention_known);

  // That `current` names the last revision, or, while a commit is under way,
  // the one before.
  absl::Status CheckCurrent();

 private:
  absl::Status CheckOne(const v1::RevisionCommitted& commit,
                        const absl::StatusOr<std::string>& rebuilt,
                        bool retention_known, ManifestReplay& replay);
  // A manifest is written after its commit is durable in the log.
  absl::Status CheckNoOthers();

  ObjectStorage& storage_;
  LogEventStore& events_;
  LogManifestStore& manifests_;
  const std::string& movie_id_;
  VerifyReport& report_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_VERIFY_MANIFESTS_CHECK_H_

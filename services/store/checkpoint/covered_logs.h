// Removes the archived logs of a movie that a revision checkpoint and the
// manifests cover.
//
// Order:
//   1. the manifest of every revision that was not pruned is seen to be there
//      with its hash
//   2. the checkpoint of the last revision is written, unless there is one
//   3. it is read back, line by line, and the revision's manifest is made of
//      it alone: the hash must be the one that was committed
//   4. archives that end at or before the revision go
//   5. earlier checkpoints go
// What came of a crash in between is finished by the next call: until 4 the
// logs are there, from 4 on the checkpoint is. The newest archive of a log
// stays while nothing came after it, so that numbers go on.

#ifndef KINORA_SERVICES_STORE_CHECKPOINT_COVERED_LOGS_H_
#define KINORA_SERVICES_STORE_CHECKPOINT_COVERED_LOGS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "services/store/event/event_log.h"
#include "services/store/event/log_event_store.h"
#include "services/store/manifest/log_manifest_store.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Borrowed.
struct CoveredLogsParts {
  ObjectStorage& storage;
  EventLog& log;
  LogEventStore& events;
  LogManifestStore& manifests;
};

// The archives removed, as paths below the movie; none before the first
// revision. Safe beside everything but itself and a deletion of the movie.
// DATA_LOSS (DATA_CORRUPT), and nothing removed, if a manifest or the
// checkpoint is not as it should be.
absl::StatusOr<std::vector<std::string>> RemoveCoveredLogs(
    const CoveredLogsParts& parts, const std::string& movie_id);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_CHECKPOINT_COVERED_LOGS_H_

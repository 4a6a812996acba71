// The RetentionRecord of a movie says what was pruned. It is the object
// `builds/<movie>/retention.json`, canonical JSON and its checksum
// (services/store/object/checked_document.h), absent before the first pruning:
//   {"prunedRevisions": ["rev-0001", ...],
//    "removingRuns": ["run-...", ...],    their removal is not finished
//    "takes": [{"keep": n, "through": sequence in artefacts.log}, ...]}
//
// Writing it is the one step that prunes; deleting what it names follows, and
// is finished after a crash.

#ifndef KINORA_SERVICES_STORE_RETENTION_RETENTION_RECORD_H_
#define KINORA_SERVICES_STORE_RETENTION_RETENTION_RECORD_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "services/store/object/object_storage.h"

namespace kinora {

// Of the succeeded events of an artefact up to `through` only the newest `keep`
// keep their bytes alive by themselves.
struct TakesRule {
  int64_t keep = 0;
  int64_t through = 0;
};

struct RetentionRecord {
  std::set<std::string, std::less<>> pruned_revisions;
  std::set<std::string, std::less<>> removing_runs;
  // An event has to be kept by all of them: what was pruned once stays so,
  // whatever a later pruning keeps. None implies another.
  std::vector<TakesRule> takes;

  // Adds a rule and drops those that it implies.
  void AddTakesRule(const TakesRule& rule);

  // The stored bytes it was read from; none if there was no object.
  std::optional<std::string> bytes;
};

// DATA_LOSS (DATA_CORRUPT) if the object is damaged.
absl::StatusOr<RetentionRecord> LoadRetention(ObjectStorage& storage,
                                              absl::string_view movie_id);

// The bytes of the object that says what `record` does.
std::string RetentionText(const RetentionRecord& record);

// Replaces the object that `record` was read from, and updates `record.bytes`.
// ABORTED if it has changed since.
absl::Status SaveRetention(ObjectStorage& storage, absl::string_view movie_id,
                           RetentionRecord* record);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_RETENTION_RETENTION_RECORD_H_

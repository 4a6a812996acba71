// The CopyHead is the first member of a copy, `backup.json`: canonical JSON
//   {"artefacts": {"first": n, "last": n},     records of artefacts.log; zeros
//                                              for an empty log
//    "createTime": RFC 3339, when it was made,
//    "formatVersion": 1,
//    "inputs": {"first": n, "last": n},
//    "ledgers": {"run-...": {"first": n, "last": n}, ...},   of every run
//    "movieId": whose copy it is,
//    "run": "run-...",                      only in the export of one run
//    "storeVersion": "0.1.0",
//    "withoutBlobs": true}                  only if it is of the history alone
// It says which moment the copy is of; formatVersion covers all members.

#ifndef KINORA_SERVICES_STORE_BACKUP_COPY_HEAD_H_
#define KINORA_SERVICES_STORE_BACKUP_COPY_HEAD_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "services/store/event/event_log.h"

namespace kinora {

inline constexpr int64_t kCopyFormatVersion = 1;

struct CopyHead {
  std::string movie_id;
  absl::Time create_time;
  LogExtent artefacts;
  LogExtent inputs;
  std::map<std::string, LogExtent> ledgers;  // by run
  std::string run_id;  // of an export; empty for a whole movie
  bool without_blobs = false;
};

std::string CopyHeadText(const CopyHead& head);

// INVALID_ARGUMENT (FORMAT_UNKNOWN) for a version that this build does not
// know, (DATA_CORRUPT) for what is no head.
absl::StatusOr<CopyHead> ParseCopyHead(absl::string_view text);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BACKUP_COPY_HEAD_H_

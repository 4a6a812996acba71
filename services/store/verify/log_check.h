// Checks the files of one log, live and archived, line by line: the checksum,
// the number, the JSON of each. Reads the files themselves, as a person with
// standard tools would, and changes nothing.

#ifndef KINORA_SERVICES_STORE_VERIFY_LOG_CHECK_H_
#define KINORA_SERVICES_STORE_VERIFY_LOG_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"
#include "kinora/v1/maintenance.pb.h"
#include "services/store/event/event_log.h"
#include "services/store/object/object_storage.h"

namespace kinora {

struct LogCheck {
  std::vector<v1::VerifyProblem> problems;
  int64_t files = 0;
  int64_t bytes = 0;
};

// Safe beside appends and archiving: looks again if files moved meanwhile.
// Damaged lines in a row are one problem; records missing between two files are
// one, and so are those at the beginning that no revision checkpoint covers,
// naming the log and the range. On storage without files the records are read
// through `log`.
absl::StatusOr<LogCheck> CheckLog(ObjectStorage& storage, EventLog& log,
                                  absl::string_view movie_id,
                                  absl::string_view log_key, v1::LogKind kind);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_VERIFY_LOG_CHECK_H_

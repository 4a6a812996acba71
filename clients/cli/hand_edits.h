// Edits by hand of readable files, for commands that plan: they count only once
// they are recorded (services/store/readable/readable_scan.h).

#ifndef KINORA_CLIENTS_CLI_HAND_EDITS_H_
#define KINORA_CLIENTS_CLI_HAND_EDITS_H_

#include <string>

#include "absl/status/status.h"

#include "clients/cli/command.h"

namespace kinora {

enum class HandEdits {
  kRecord,  // and write files that are behind or missing
  // Only if there are any: the movie is not held where nothing was edited, so
  // that two runs that are started at once do not meet over a scan.
  kRecordIfAny,
  // The same, for a run that waits for its turn if a run is active: then its
  // runner records them when it begins.
  kRecordInTurn,
  kTell,  // and write nothing
};

// Tells of each edit by hand in a line on stderr: that it was recorded, that it
// will be, or that it does not count, as while a run has the movie; and of each
// file that cannot be taken. Does nothing for a store without files.
absl::Status TakeHandEdits(const Invocation& call, const std::string& movie_id,
                           HandEdits how);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_HAND_EDITS_H_

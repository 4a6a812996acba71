// Removing the files of one log of a FileEventLog.

#ifndef KINORA_SERVICES_STORE_EVENT_LOG_FILE_REMOVAL_H_
#define KINORA_SERVICES_STORE_EVENT_LOG_FILE_REMOVAL_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"

namespace kinora {

// Removes the archives of the log `log` below `root`, oldest first and each
// durably before the next, then its checkpoint and its live file: cut at any
// point it leaves a log whose beginning is gone, or none. OK if there are none.
absl::Status RemoveLogFiles(FileSystem& fs, absl::string_view root,
                            absl::string_view log);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_LOG_FILE_REMOVAL_H_

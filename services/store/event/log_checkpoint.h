// The checkpoint of a log file says how far the file was found intact and is
// synced, so that opening it reads only what comes after.
//
// File: `<stem>.checkpoint` beside `<stem>.log`, one line in the form of log
// lines (log_line.h), whose number is that of the last record covered and whose
// `offset` is where that record ends in the log file:
//
//   {"seq":1200,"offset":372000,"crc32c":"0a1b2c3d"}
//
// `offset` is 0 if all records went to archives; `seq` is that of the last one.
//
// Without it, or with one that does not agree with the log file, the whole file
// is read. It is written after what it covers is synced, and numbers only grow
// while the log lives. So a log that ends before it has lost records. A clean
// end of the store writes one of each log that has gone on, so that whatever is
// cut off a log afterwards is missed.

#ifndef KINORA_SERVICES_STORE_EVENT_LOG_CHECKPOINT_H_
#define KINORA_SERVICES_STORE_EVENT_LOG_CHECKPOINT_H_

#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"
#include "services/store/event/log_segment.h"

namespace kinora {

// The path of the checkpoint of the log file `log_path`, which ends in ".log".
std::string LogCheckpointPath(absl::string_view log_path);

// Makes or replaces the checkpoint. `end` is the position after the last record
// that is covered. One thread at a time for each log.
absl::Status WriteLogCheckpoint(FileSystem& fs, absl::string_view log_path,
                                const LogPosition& end);

// Positions after the last records of logs, by the logs' keys.
using LogEnds = absl::flat_hash_map<std::string, LogPosition>;

// As WriteLogCheckpoint() for each of the logs below `root`, but those that
// have a checkpoint at that record or beyond it, or that are gone. Costs many
// logs two syncs of the volume. Ends with the first error.
absl::Status WriteLogCheckpoints(FileSystem& fs, absl::string_view root,
                                 const LogEnds& ends);

// What WriteLogCheckpoint() wrote; nullopt if there is none or it is damaged.
std::optional<LogPosition> ReadLogCheckpoint(FileSystem& fs,
                                             absl::string_view log_path);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_LOG_CHECKPOINT_H_

// Completing the log files from the journal when a store is opened.
//
// Log files are written behind the journal and not synced, so after a crash a
// file may have lost any of the bytes that the journal still holds. For each
// log, everything before its first journaled record is synced: segments are
// removed only then. So the file is cut there and the journaled lines are
// appended, whatever the crash left behind that point. Records before the log's
// last checkpoint record are left alone: they were synced into a live file that
// may have been replaced since. Of a log that was removed last the removal is
// ended, if it was cut short (log_file_removal.h), before lines that were
// journaled after that are applied.
//
// Before that the journal is mended, if it is damaged (journal_mending.h). A
// log of which lines are lost all the same ends before them. A checkpoint of
// the log (log_checkpoint.h) that says how far it went shows from then on that
// it has lost its end, and keeps it from being written.
//
// A file that held other bytes than its journaled lines is told of in the log
// of the process (log_file_comparison.h) before it is cut. Whole lines in it
// that the journal has lost are kept, or put aside (unjournaled_lines.h).
//
// Doing it twice has the same result, so it may itself be cut by a crash, or
// end because the volume is full. Then the logs can be read all the same: each
// is its file up to the first journaled line, and the journaled lines.

#ifndef KINORA_SERVICES_STORE_EVENT_FILE_EVENT_LOG_RECOVERY_H_
#define KINORA_SERVICES_STORE_EVENT_FILE_EVENT_LOG_RECOVERY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"
#include "services/store/event/journal.h"
#include "services/store/event/log_checkpoint.h"
#include "services/store/event/log_tail.h"
#include "services/store/object/durable_directories.h"

namespace kinora {

// Completes and syncs the log files below `root` from the journal in
// `journal_directory`, which may be empty. From then on the segments there are
// not needed. Errors of MendJournal(), ReadJournal() and of the disk.
//
// A log file that is shorter than the synced bytes it must hold has lost
// records to something other than a crash. Its journaled lines are appended all
// the same: none of them is lost, and the gap before them makes the log
// DATA_LOSS at its first use, while all others are served.
//
// Appends to `lost` the keys of logs of which a damaged journal lost lines, and
// puts into `ends` where the journaled lines of each log end.
absl::StatusOr<JournalNext> RecoverLogFiles(FileSystem& fs,
                                            absl::string_view root,
                                            absl::string_view journal_directory,
                                            DurableDirectories& directories,
                                            std::vector<std::string>* lost,
                                            LogEnds* ends);

// The journaled lines that RecoverLogFiles() appends, of each log; all of them
// together have at most the size of the journal.
absl::StatusOr<LogTails> ReadJournaledTails(
    FileSystem& fs, absl::string_view root,
    absl::string_view journal_directory);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_FILE_EVENT_LOG_RECOVERY_H_

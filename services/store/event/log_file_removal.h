// Removing the files of one log of a FileEventLog.
//
// That a log is removed stands in the journal, so that a start carries out what
// a crash has cut short. But it stands there longer than it is true: a log of
// the same name may have been begun since, and of that the journal may have
// lost all it knew. So a note beside the files, `<stem>.removal`, which is
// empty, says that the removal is still to be carried out: it is there,
// durably, before the journal has the removal, and it is the last file to go. A
// log that was begun later never has one.

#ifndef KINORA_SERVICES_STORE_EVENT_LOG_FILE_REMOVAL_H_
#define KINORA_SERVICES_STORE_EVENT_LOG_FILE_REMOVAL_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"

namespace kinora {

// Notes durably that the files of the log `log` below `root` are about to be
// removed; changes nothing else. Nothing if there is no directory for them.
absl::Status NoteLogRemoval(FileSystem& fs, absl::string_view root,
                            absl::string_view log);

// True from NoteLogRemoval() until RemoveLogFiles() is done.
absl::StatusOr<bool> LogRemovalIsNoted(FileSystem& fs, absl::string_view root,
                                       absl::string_view log);

// Removes the archives of the log, oldest first and each durably before the
// next, then its checkpoint and its live file, then the note: cut at any point
// it leaves a log whose beginning is gone, or none. OK if there are none.
absl::Status RemoveLogFiles(FileSystem& fs, absl::string_view root,
                            absl::string_view log);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_LOG_FILE_REMOVAL_H_

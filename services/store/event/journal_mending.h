// Mending a journal before it is read, so that damage in it costs no more than
// what it hit.
//
// A bad batch is what a crash tore, or it has rotted (journal.h). Of one that
// has rotted, one of its two edges and one of its two directories are enough to
// know its records; damaged lines of a record are taken, line by line and each
// by its checksum, from the batch and from the log file, which got them right
// after they were journaled. The last batch of the journal is mended only if
// all of it is found: else it is taken for torn.
//
// If lines are lost all the same, which takes a power loss besides the damage,
// a record in their place says so (JournalRecord::Kind::kLost); recovery ends
// the log before them and has it quarantined (file_event_log_recovery.h). All
// other logs are recovered as if nothing had been. The segment as it was is put
// aside beside it as `<ten digits>.damaged` (put_aside.h).
//
// A segment whose header line is damaged, also if it reads as that of version
// 1, is known by the batch behind it.
//
// Not mended, and refused by ReadJournal() as before: batches of which both
// edges or both directories are damaged while later ones are there, since
// nobody can tell whose lines they held; missing segments; version 1.

#ifndef KINORA_SERVICES_STORE_EVENT_JOURNAL_MENDING_H_
#define KINORA_SERVICES_STORE_EVENT_JOURNAL_MENDING_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"

namespace kinora {

// Mends what can be mended of the segments in `directory`; `root` is where the
// log files are. Each segment is replaced at once, so it may be cut by a crash
// and be done again. Tells of everything in the log of the process. Changes
// nothing of a journal without damage.
//
// DATA_LOSS if there is no room on the volume to mend what could be mended;
// errors of the disk.
absl::Status MendJournal(FileSystem& fs, absl::string_view root,
                         absl::string_view directory);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_JOURNAL_MENDING_H_

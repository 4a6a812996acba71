// Lines that a log file has and the journal has not.
//
// A line gets into a log file once the journal has it durably. So a whole line
// of the file was acknowledged, and if the journal does not have it, the
// journal has lost it. A file that is made what the journal says must not lose
// it, too.
//
// A line is never changed, and its checksum tells of damage. So a whole line
// with a number that a journaled line has, but with other bytes, is of another
// log of that name: one that was begun after the journaled lines were removed
// with theirs, as with a movie that was deleted and created again. (The older
// of the two it cannot be: its file is removed, durably, before the first line
// of the next is written; a start ends a removal that was cut short.) Of
// that removal the journal has lost the mark. So is a file whose lines follow
// each other from 1 on, and that has one before the first journaled line where
// that has its place or behind it: those of its own log end before it.

#ifndef KINORA_SERVICES_STORE_EVENT_UNJOURNALED_LINES_H_
#define KINORA_SERVICES_STORE_EVENT_UNJOURNALED_LINES_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"
#include "services/store/event/log_segment.h"

namespace kinora {

// The journaled lines of one log, in order.
struct JournaledLines {
  uint64_t offset = 0;  // where they begin in the file
  int64_t first_sequence = 0;
  std::string lines;
};

struct UnjournaledLines {
  // The file is that of a later log: none of the journal's lines belong in it.
  bool of_later_log = false;
  // Whole lines that go on from the journal's last one.
  std::string behind;
  // The position after all whole lines, also those that do not go on from
  // there; sequence 0 if there are none beyond the journal's last.
  LogPosition end;
  // What is put aside: of a later log the journaled lines, else the file's
  // bytes from where it is cut. Empty if nothing would be lost.
  std::string aside;
};

// Looks through a file that is not what the journal says. One that cannot be
// read has what was read of it until then.
UnjournaledLines FindUnjournaledLines(FileSystem& fs, const std::string& path,
                                      const JournaledLines& journaled);

// Puts aside what is to be, and leaves in the log's checkpoint how far it went:
// if it goes less far after that, it has lost its end. Call it before the file
// is changed. Errors of the disk.
absl::Status KeepUnjournaledLines(FileSystem& fs, const std::string& path,
                                  const UnjournaledLines& found);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_UNJOURNALED_LINES_H_

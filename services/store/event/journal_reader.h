// Reading a journal back; journal.h says what the bytes mean.

#ifndef KINORA_SERVICES_STORE_EVENT_JOURNAL_READER_H_
#define KINORA_SERVICES_STORE_EVENT_JOURNAL_READER_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"
#include "services/store/event/journal.h"

namespace kinora {

// Where a record is: batch number, and place in the batch. Ordered as written.
struct JournalPlace {
  uint64_t batch = 0;
  size_t record = 0;

  friend bool operator<(const JournalPlace& a, const JournalPlace& b) {
    return a.batch != b.batch ? a.batch < b.batch : a.record < b.record;
  }
};

// Takes one record; its error ends the reading. The views are valid during the
// call.
using JournalVisitor = absl::FunctionRef<absl::Status(
    const JournalPlace& place, const JournalRecord& record)>;

// Visits all records of the segments in `directory`, in order, holding one
// batch at a time, and returns the numbers to go on with. A torn tail of the
// last segment is cut off the file, and that is logged. Reads versions 1 and 2.
//
// DATA_LOSS naming file and offset for damage elsewhere or a missing segment;
// FAILED_PRECONDITION for a format version that this program does not know.
absl::StatusOr<JournalNext> ReadJournal(FileSystem& fs,
                                        absl::string_view directory,
                                        JournalVisitor visit);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_JOURNAL_READER_H_

// A Journal is the write-ahead log of all event logs of a store: one file that
// grows by one synced batch for each group commit, whatever the number of logs
// in it. Log files are written behind it, unsynced, and completed from it when
// the store is opened (file_event_log_recovery.h).
//
// Files: `<directory>/<ten digits>.wal`, the segments, numbered upwards. A
// segment that reaches a size is followed by a new one; once all log files that
// it speaks of are synced it is removed, the oldest first.
//
// Format of a segment, version 2, all numbers little-endian (version 1, which
// is only read, is in journal_batch_v1.h):
//
//   "kinora-journal-2\n"
//   batch*:
//     magic             4 bytes FE FF F5 C2
//     edge:
//       directory_bytes   u32, of one of the two
//       lines_bytes       u32, of all lines together
//       number            u64, one more than the batch before, also across
//                         segments
//       crc32c            u32 over the three
//     directory:
//       entry*:
//         kind            u8: 1 lines, 2 checkpoint, 3 removed, 4 lost
//                         (JournalRecord)
//         log_bytes       u32
//         line_bytes      u32
//         offset          u64, of the lines in the log's live file
//         first_sequence  i64; of a removed log 1, see kNotedRemoval
//         last_sequence   i64
//         lines_crc32c    u32
//         log             the log's key
//       crc32c          u32 over the batch's number and the entries
//     lines             those of all entries: log lines, each with its '\n'
//     directory         the same again
//     edge              the same again
//     magic             4 bytes FE FF F5 C3
//
// Behind the last batch a segment may end in zeros, room that is reserved so
// that a sync has no metadata to write. A batch that a disk turned into zeros
// is missed by its number, if a later one is there.
//
// Reading it: a batch is written after the one before is synced. So a bad batch
// with no later one behind it is what a crash tore: it was never acknowledged
// and is dropped, whichever of its pages the crash kept. A bad batch with a
// later one behind it, in its segment or in a following one, was acknowledged
// and has rotted: that is DATA_LOSS, unless mending (journal_mending.h) has
// made it whole again before. What tells whose lines are where stands twice in
// a batch, at its two ends, so that it takes more than one place gone bad to
// lose it; lines that are damaged are then known for what they are, and are in
// their log file, too. A segment shorter than its header is one that a crash
// tore at birth. Why lines are journaled whole, though they are in the log file
// too: only a file of whole lines can be completed without trusting it.

#ifndef KINORA_SERVICES_STORE_EVENT_JOURNAL_H_
#define KINORA_SERVICES_STORE_EVENT_JOURNAL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"
#include "services/store/event/journal_batch.h"

namespace kinora {

// The numbers with which a journal goes on.
struct JournalNext {
  uint64_t segment = 1;
  uint64_t batch = 1;
};

// Removes all segments below `segment`, oldest first, each durably before the
// next: a later one without the earlier is harmless, the reverse is not.
absl::Status RemoveJournalSegmentsBelow(FileSystem& fs,
                                        absl::string_view directory,
                                        uint64_t segment);

// The path of a segment, and the numbers of those in `directory`, ascending.
std::string JournalSegmentPath(absl::string_view directory, uint64_t segment);
absl::StatusOr<std::vector<uint64_t>> ListJournalSegments(
    FileSystem& fs, absl::string_view directory);

// One thread at a time; RemoveSegmentsBelow() alone may run beside the others.
class Journal {
 public:
  // Starts the segment `next.segment`. Room in a segment is reserved by about
  // `reserve_bytes`. `fs` MUST outlive the journal.
  static absl::StatusOr<std::unique_ptr<Journal>> Create(
      FileSystem& fs, absl::string_view directory, JournalNext next,
      uint64_t reserve_bytes);

  // Writes and syncs a batch. After an error nothing more can be written: the
  // caller stops. RESOURCE_EXHAUSTED if there is no room: then the batch is not
  // whole, and reading the journal drops it.
  absl::Status Write(JournalBatchBuilder& batch);

  // Goes on in a new segment. The same holds after an error.
  absl::Status StartSegment();

  absl::Status RemoveSegmentsBelow(uint64_t segment) {
    return RemoveJournalSegmentsBelow(fs_, directory_, segment);
  }

  uint64_t segment() const { return next_.segment - 1; }
  uint64_t segment_bytes() const { return file_->Size(); }
  std::string path() const { return JournalSegmentPath(directory_, segment()); }

 private:
  Journal(FileSystem& fs, absl::string_view directory, JournalNext next,
          uint64_t reserve_bytes)
      : fs_(fs),
        directory_(directory),
        reserve_bytes_(reserve_bytes),
        next_(next) {}

  FileSystem& fs_;
  const std::string directory_;
  const uint64_t reserve_bytes_;
  JournalNext next_;
  std::unique_ptr<WritableFile> file_;
  uint64_t reserved_end_ = 0;  // of file_
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_JOURNAL_H_

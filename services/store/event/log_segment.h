// A LogSegment describes one file of log lines, live or archived: which records
// it holds and, sparsely, where they are. Its records are dense, so the line of
// a record follows from its sequence number.
//
// Memory is 16 bytes for each kIndexInterval bytes of file that were scanned or
// appended; lines stay on disk. Of an archive, and of what a checkpoint covers,
// nothing is scanned: a record there is looked for when it is read.

#ifndef KINORA_SERVICES_STORE_EVENT_LOG_SEGMENT_H_
#define KINORA_SERVICES_STORE_EVENT_LOG_SEGMENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"
#include "services/store/event/event_log.h"

namespace kinora {

// Where a record begins.
struct LogPosition {
  int64_t sequence = 0;
  uint64_t offset = 0;

  friend bool operator==(const LogPosition& a, const LogPosition& b) {
    return a.sequence == b.sequence && a.offset == b.offset;
  }
};

// Some records of a file, from `wanted` to `last`. They lie between the known
// position `from`, in the line `from_line`, and the offset `end`; the first one
// begins before the known position `until`.
struct LogRange {
  std::string path;
  LogPosition from;
  int64_t from_line = 0;
  LogPosition until;
  uint64_t end = 0;
  int64_t wanted = 0;
  int64_t last = 0;
};

// Not thread-safe.
class LogSegment {
 public:
  // A read begins at an index position, or one found in the file, and skips
  // about so much, which takes about as long as the read itself.
  static constexpr uint64_t kIndexInterval = 16 << 10;

  // A segment without records, whose first one will have that sequence number,
  // begin at that offset and stand in that line of the file (from 1).
  LogSegment(std::string path, LogPosition begin, int64_t first_line);

  // A segment that holds records already, all before the position `end`, of
  // which only the first one's position is known.
  static LogSegment Unindexed(std::string path, LogPosition begin,
                              int64_t first_line, LogPosition end);

  const std::string& path() const { return path_; }

  // `last_sequence() == first_sequence() - 1` if there is no record.
  int64_t first_sequence() const { return begin_.sequence; }
  int64_t last_sequence() const { return last_sequence_; }
  bool empty() const { return last_sequence_ < begin_.sequence; }

  // Where the records begin and end in the file. Bytes outside are not part of
  // the segment.
  uint64_t begin_offset() const { return begin_.offset; }
  uint64_t end_offset() const { return end_offset_; }

  // Where the next record goes.
  LogPosition end() const { return {last_sequence_ + 1, end_offset_}; }

  // Takes the next record, whose line has so many bytes with its '\n'.
  void Add(uint64_t line_bytes);

  // The records from `sequence` to the end, from the nearest known position at
  // or before it on. REQUIRES: the segment holds that record.
  LogRange RangeFrom(int64_t sequence) const;

  // The same records in the same file under another name.
  LogSegment MovedTo(std::string path) &&;

 private:
  std::string path_;
  LogPosition begin_;
  int64_t first_line_;
  int64_t last_sequence_;
  uint64_t end_offset_;
  std::vector<LogPosition> index_;
};

// What a scan found. Bytes of the file after segment.end_offset() are a torn
// last line.
struct LogScan {
  LogSegment segment;
  uint64_t file_bytes = 0;
  bool from_checkpoint = false;  // what it covers was not read
};

// Reads a file, checks every line and that they are dense, and makes its
// segment of the records after `archived_through`; lines up to there, which an
// interrupted Archive() left, are checked and passed over. The first record
// taken must be `archived_through` + 1, unless that is 0: then it may be any. A
// missing file is an empty one. DATA_LOSS naming file and line for damage other
// than a last line without '\n'.
//
// Reading begins at `checkpoint`, the position after records that were checked
// and synced before, if the file agrees with it; else it is ignored.
absl::StatusOr<LogScan> ScanLogFile(
    FileSystem& fs, const std::string& path, int64_t archived_through,
    const std::optional<LogPosition>& checkpoint);

// The same of a file that is open.
absl::StatusOr<LogScan> ScanOpenLogFile(
    const RandomAccessFile& file, const std::string& path,
    int64_t archived_through, const std::optional<LogPosition>& checkpoint);

// The records of an archive, from its first and last line alone. DATA_LOSS
// naming the file if one of them is damaged or there is none.
absl::StatusOr<LogSegment> ArchiveSegment(FileSystem& fs,
                                          const std::string& path);

// What a Read() may still return.
struct LogBudget {
  int64_t records = 0;
  int64_t bytes = 0;

  bool exhausted() const { return records <= 0 || bytes <= 0; }
};

// Appends the records of `range` in `file` to `out` until `budget` is used up.
// DATA_LOSS naming file and line if one is damaged; only the file and not the
// line if that was on the way to the first record.
absl::Status ReadLogRecords(const RandomAccessFile& file, const LogRange& range,
                            LogBudget* budget, std::vector<LogRecord>* out);

// Checks all lines of the file up to `range.end`. DATA_LOSS naming file and
// line of the first that is damaged.
absl::Status CheckLogLines(const RandomAccessFile& file, const LogRange& range);

// The offset of the first record of `range`. DATA_LOSS if it is not there.
absl::StatusOr<uint64_t> FindLogRecord(const RandomAccessFile& file,
                                       const LogRange& range);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_LOG_SEGMENT_H_

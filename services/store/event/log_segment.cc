#include "services/store/event/log_segment.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/store/event/log_line.h"
#include "services/store/event/log_line_reader.h"

namespace kinora {
namespace {

// One call to the kernel for many lines; a longer line makes the buffer grow.
constexpr uint64_t kScanBytes = 1 << 20;
constexpr uint64_t kEdgeBytes = 4 << 10;

absl::Status NoLines(const std::string& path) {
  return absl::DataLossError(
      absl::StrCat(path, ": an archive without records"));
}

}  // namespace

LogSegment::LogSegment(std::string path, LogPosition begin, int64_t first_line)
    : path_(std::move(path)),
      begin_(begin),
      first_line_(first_line),
      last_sequence_(begin.sequence - 1),
      end_offset_(begin.offset) {}

LogSegment LogSegment::Unindexed(std::string path, LogPosition begin,
                                 int64_t first_line, LogPosition end) {
  LogSegment segment(std::move(path), begin, first_line);
  segment.last_sequence_ = end.sequence - 1;
  segment.end_offset_ = end.offset;
  return segment;
}

void LogSegment::Add(uint64_t line_bytes) {
  if (index_.empty() || end_offset_ - index_.back().offset >= kIndexInterval) {
    index_.push_back({last_sequence_ + 1, end_offset_});
  }
  ++last_sequence_;
  end_offset_ += line_bytes;
}

LogRange LogSegment::RangeFrom(int64_t sequence) const {
  const auto after =
      std::upper_bound(index_.begin(), index_.end(), sequence,
                       [](int64_t wanted, const LogPosition& at) {
                         return wanted < at.sequence;
                       });
  const LogPosition from = after == index_.begin() ? begin_ : *(after - 1);
  const LogPosition until = after == index_.end() ? end() : *after;
  return LogRange{.path = path_,
                  .from = from,
                  .from_line = from.sequence - begin_.sequence + first_line_,
                  .until = until,
                  .end = end_offset_,
                  .wanted = sequence,
                  .last = last_sequence_};
}

LogSegment LogSegment::MovedTo(std::string path) && {
  path_ = std::move(path);
  return std::move(*this);
}

// True if `checkpoint` speaks of this file: its first line and the one that
// ends where the checkpoint says are intact and have the right numbers.
bool Fits(const RandomAccessFile& file, uint64_t file_bytes,
          const std::string& path, int64_t archived_through,
          const LogPosition& checkpoint, int64_t* first_sequence) {
  if (checkpoint.offset == 0 || checkpoint.offset > file_bytes) return false;
  absl::string_view line;
  LogLineReader head(file, 0, file_bytes, kEdgeBytes);
  const absl::StatusOr<bool> found = head.Next(&line);
  if (!found.ok() || !*found) return false;
  const absl::StatusOr<int64_t> first = CheckLogLine(line);
  if (!first.ok() || *first >= checkpoint.sequence) return false;
  // Else an interrupted Archive() left records that are to be passed over.
  if (archived_through != 0 && *first != archived_through + 1) return false;
  *first_sequence = *first;
  const absl::StatusOr<std::string> last =
      ReadLogLineBefore(file, checkpoint.offset, path);
  return last.ok() && CheckLogLineIs(checkpoint.sequence - 1, *last).ok();
}

absl::StatusOr<LogScan> ScanLogFile(
    FileSystem& fs, const std::string& path, int64_t archived_through,
    const std::optional<LogPosition>& checkpoint) {
  const auto file = fs.OpenForRead(path);
  if (absl::IsNotFound(file.status())) {
    return LogScan{.segment =
                       LogSegment(path, {.sequence = archived_through + 1}, 1)};
  }
  KINORA_RETURN_IF_ERROR(file.status());
  return ScanOpenLogFile(**file, path, archived_through, checkpoint);
}

absl::StatusOr<LogScan> ScanOpenLogFile(
    const RandomAccessFile& file, const std::string& path,
    int64_t archived_through, const std::optional<LogPosition>& checkpoint) {
  const LogPosition start{.sequence = archived_through + 1};
  LogScan scan{.segment = LogSegment(path, start, 1)};
  KINORA_ASSIGN_OR_RETURN(scan.file_bytes, file.Size());

  int64_t expected = 0;  // 0: the first line may have any number
  uint64_t offset = 0;
  int64_t number = 1;
  int64_t first = 0;
  if (checkpoint.has_value() && Fits(file, scan.file_bytes, path,
                                     archived_through, *checkpoint, &first)) {
    scan.segment =
        LogSegment::Unindexed(path, {.sequence = first}, 1, *checkpoint);
    scan.from_checkpoint = true;
    expected = checkpoint->sequence;
    offset = checkpoint->offset;
    number = expected - first + 1;
  }
  LogLineReader lines(file, offset, scan.file_bytes, kScanBytes);
  absl::string_view line;
  for (;; ++number) {
    KINORA_ASSIGN_OR_RETURN(const bool more, lines.Next(&line));
    if (!more) break;
    const std::string where = absl::StrCat(path, ", line ", number);
    absl::StatusOr<int64_t> sequence = CheckLogLine(line);
    if (sequence.ok() && expected != 0 && *sequence != expected) {
      sequence = CheckLogLineIs(expected, line);
    }
    if (!sequence.ok()) return Annotate(sequence.status(), where);
    expected = *sequence + 1;
    offset += line.size() + 1;
    if (*sequence <= archived_through) {
      scan.segment = LogSegment(path, {start.sequence, offset}, number + 1);
      continue;
    }
    if (scan.segment.empty()) {
      if (archived_through != 0 && *sequence != start.sequence) {
        return absl::DataLossError(absl::StrCat(
            where, ": it has record ", *sequence, ", and the records ",
            start.sequence, " to ", *sequence - 1,
            ", between the last archive and it, are missing"));
      }
      scan.segment =
          LogSegment(path, {*sequence, offset - line.size() - 1}, number);
    }
    scan.segment.Add(line.size() + 1);
  }
  return scan;
}

absl::StatusOr<LogSegment> ArchiveSegment(FileSystem& fs,
                                          const std::string& path) {
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file,
                          fs.OpenForRead(path));
  KINORA_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  absl::string_view line;
  LogLineReader head(*file, 0, size, kEdgeBytes);
  KINORA_ASSIGN_OR_RETURN(bool found, head.Next(&line));
  if (!found) return NoLines(path);
  absl::StatusOr<int64_t> first = CheckLogLine(line);
  if (!first.ok())
    return Annotate(first.status(), absl::StrCat(path, ", line 1"));

  KINORA_ASSIGN_OR_RETURN(const std::string last_line,
                          ReadLogLineBefore(*file, size, path));
  const absl::StatusOr<int64_t> last = CheckLogLine(last_line);
  if (!last.ok())
    return Annotate(last.status(), absl::StrCat(path, ", last line"));
  return LogSegment::Unindexed(path, {.sequence = *first}, 1,
                               {.sequence = *last + 1, .offset = size});
}

}  // namespace kinora

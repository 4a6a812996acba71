#include "services/store/event/log_segment.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/store/event/log_line.h"

namespace kinora {
namespace {

// One call to the kernel for many lines; a longer line makes the buffer grow.
constexpr uint64_t kScanBytes = 1 << 20;
constexpr uint64_t kReadBytes = 64 << 10;
constexpr uint64_t kEdgeBytes = 4 << 10;

// A LineReader cuts a range of a file into lines.
class LineReader {
 public:
  LineReader(const RandomAccessFile& file, uint64_t begin, uint64_t end,
             uint64_t chunk_bytes)
      : file_(file), next_(begin), end_(end), chunk_bytes_(chunk_bytes) {}

  // The next line without its '\n', valid until the next call. False at the
  // end of the range, or of the last line that has a '\n'.
  absl::StatusOr<bool> Next(absl::string_view* line) {
    buffer_begin_ += consumed_;
    consumed_ = 0;
    size_t searched = 0;
    for (;;) {
      const absl::string_view rest =
          absl::string_view(buffer_).substr(buffer_begin_);
      const size_t newline = rest.find('\n', searched);
      if (newline != absl::string_view::npos) {
        *line = rest.substr(0, newline);
        consumed_ = newline + 1;
        return true;
      }
      searched = rest.size();
      KINORA_ASSIGN_OR_RETURN(const bool more, Fill());
      if (!more) return false;
    }
  }

 private:
  absl::StatusOr<bool> Fill() {
    buffer_.erase(0, buffer_begin_);
    buffer_begin_ = 0;
    const size_t kept = buffer_.size();
    // Doubling keeps a very long line from being copied again and again.
    const uint64_t want =
        std::min(std::max<uint64_t>(chunk_bytes_, kept), end_ - next_);
    buffer_.resize(kept + want);
    KINORA_ASSIGN_OR_RETURN(
        const size_t got,
        file_.ReadAt(next_, absl::MakeSpan(&buffer_[0] + kept, want)));
    buffer_.resize(kept + got);
    next_ += got;
    return got > 0;
  }

  const RandomAccessFile& file_;
  uint64_t next_;
  const uint64_t end_;
  const uint64_t chunk_bytes_;
  std::string buffer_;
  size_t buffer_begin_ = 0;  // the bytes before it were returned
  size_t consumed_ = 0;      // bytes of the line returned last, with its '\n'
};

// "<path>, line <n>".
std::string Where(const LogRange& range, int64_t sequence) {
  return absl::StrCat(range.path, ", line ",
                      range.from_line + sequence - range.from.sequence);
}

absl::Status EndsBefore(const LogRange& range, int64_t sequence) {
  return absl::DataLossError(
      absl::StrCat(Where(range, sequence), ": the file ends before it"));
}

absl::Status NoLines(const std::string& path) {
  return absl::DataLossError(
      absl::StrCat(path, ": an archive without records"));
}

// The piece between the last two '\n' of a file, or before its only one.
absl::StatusOr<std::string> ReadLastLine(const RandomAccessFile& file,
                                         uint64_t size,
                                         const std::string& path) {
  for (uint64_t bytes = kEdgeBytes;; bytes *= 2) {
    bytes = std::min(bytes, size);
    std::string tail(bytes, '\0');
    KINORA_ASSIGN_OR_RETURN(
        const size_t got,
        file.ReadAt(size - bytes, absl::MakeSpan(&tail[0], bytes)));
    if (got != bytes || tail.back() != '\n') {
      return absl::DataLossError(absl::StrCat(path, ": the last line is torn"));
    }
    tail.pop_back();
    const size_t newline = tail.rfind('\n');
    if (newline != std::string::npos) return tail.substr(newline + 1);
    if (bytes == size) return tail;
  }
}

}  // namespace

LogSegment::LogSegment(std::string path, LogPosition begin, int64_t first_line)
    : path_(std::move(path)),
      begin_(begin),
      first_line_(first_line),
      last_sequence_(begin.sequence - 1),
      end_offset_(begin.offset) {}

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
  return LogRange{.path = path_,
                  .from = from,
                  .from_line = from.sequence - begin_.sequence + first_line_,
                  .end = end_offset_,
                  .wanted = sequence,
                  .last = last_sequence_};
}

LogSegment LogSegment::MovedTo(std::string path) && {
  path_ = std::move(path);
  return std::move(*this);
}

absl::StatusOr<LogScan> ScanLogFile(FileSystem& fs, const std::string& path,
                                    int64_t archived_through) {
  const LogPosition start{.sequence = archived_through + 1};
  LogScan scan{.segment = LogSegment(path, start, 1)};
  const auto file = fs.OpenForRead(path);
  if (absl::IsNotFound(file.status())) return scan;
  KINORA_RETURN_IF_ERROR(file.status());
  KINORA_ASSIGN_OR_RETURN(scan.file_bytes, (*file)->Size());

  LineReader lines(**file, 0, scan.file_bytes, kScanBytes);
  int64_t expected = 0;  // 0: the first line may have any number
  uint64_t offset = 0;
  absl::string_view line;
  for (int64_t number = 1;; ++number) {
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
        return Annotate(CheckLogLineIs(start.sequence, line), where);
      }
      scan.segment =
          LogSegment(path, {*sequence, offset - line.size() - 1}, number);
    }
    scan.segment.Add(line.size() + 1);
  }
  return scan;
}

absl::StatusOr<LogExtent> ReadLogFileExtent(FileSystem& fs,
                                            const std::string& path) {
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file,
                          fs.OpenForRead(path));
  KINORA_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  absl::string_view line;
  LineReader head(*file, 0, size, kEdgeBytes);
  KINORA_ASSIGN_OR_RETURN(bool found, head.Next(&line));
  if (!found) return NoLines(path);
  absl::StatusOr<int64_t> first = CheckLogLine(line);
  if (!first.ok())
    return Annotate(first.status(), absl::StrCat(path, ", line 1"));

  KINORA_ASSIGN_OR_RETURN(const std::string last_line,
                          ReadLastLine(*file, size, path));
  const absl::StatusOr<int64_t> last = CheckLogLine(last_line);
  if (!last.ok())
    return Annotate(last.status(), absl::StrCat(path, ", last line"));
  return LogExtent{.oldest_sequence = *first, .last_sequence = *last};
}

absl::Status ReadLogRecords(const RandomAccessFile& file, const LogRange& range,
                            LogBudget* budget, std::vector<LogRecord>* out) {
  LineReader lines(file, range.from.offset, range.end, kReadBytes);
  absl::string_view line;
  for (int64_t sequence = range.from.sequence;
       sequence <= range.last && !budget->exhausted(); ++sequence) {
    KINORA_ASSIGN_OR_RETURN(const bool more, lines.Next(&line));
    if (!more) return EndsBefore(range, sequence);
    if (sequence < range.wanted) continue;
    const absl::Status intact = CheckLogLineIs(sequence, line);
    if (!intact.ok()) return Annotate(intact, Where(range, sequence));
    out->push_back({.sequence = sequence, .line = std::string(line)});
    --budget->records;
    budget->bytes -= static_cast<int64_t>(line.size());
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> FindLogRecord(const RandomAccessFile& file,
                                       const LogRange& range) {
  LineReader lines(file, range.from.offset, range.end, kReadBytes);
  absl::string_view line;
  uint64_t offset = range.from.offset;
  for (int64_t sequence = range.from.sequence; sequence < range.wanted;
       ++sequence) {
    KINORA_ASSIGN_OR_RETURN(const bool more, lines.Next(&line));
    if (!more) return EndsBefore(range, sequence);
    offset += line.size() + 1;
  }
  return offset;
}

}  // namespace kinora

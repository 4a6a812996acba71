// Reading the records of a LogSegment.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/store/event/log_line.h"
#include "services/store/event/log_line_reader.h"
#include "services/store/event/log_segment.h"

namespace kinora {
namespace {

constexpr uint64_t kScanBytes = 1 << 20;
constexpr uint64_t kReadBytes = 64 << 10;
constexpr uint64_t kProbeBytes = 4 << 10;

// "<path>, line <n>".
std::string Where(const LogRange& range, int64_t sequence) {
  return absl::StrCat(range.path, ", line ",
                      range.from_line + sequence - range.from.sequence);
}

absl::Status EndsBefore(const LogRange& range, int64_t sequence) {
  return absl::DataLossError(
      absl::StrCat(Where(range, sequence), ": the file ends before it"));
}

// The first record that begins behind `at` and before `end`; an offset of `end`
// if there is none.
absl::StatusOr<LogPosition> RecordBehind(const RandomAccessFile& file,
                                         const LogRange& range, uint64_t at,
                                         uint64_t end) {
  absl::string_view line;
  LogLineReader rest(file, at, end, kProbeBytes);
  KINORA_ASSIGN_OR_RETURN(bool more, rest.Next(&line));
  const uint64_t begin = at + line.size() + 1;
  if (!more || begin >= end) return LogPosition{.offset = end};
  LogLineReader record(file, begin, range.end, kProbeBytes);
  KINORA_ASSIGN_OR_RETURN(more, record.Next(&line));
  if (!more) return LogPosition{.offset = end};
  KINORA_ASSIGN_OR_RETURN(const int64_t sequence, CheckLogLine(line));
  return LogPosition{.sequence = sequence, .offset = begin};
}

// The same records from a position near the first one on. Lines carry their
// numbers and have about the same length, so a few looks at the right places
// are enough; every other look halves what is left, whatever the lengths.
absl::StatusOr<LogRange> Narrow(const RandomAccessFile& file, LogRange range) {
  LogPosition low = range.from, high = range.until;
  uint64_t end = high.offset;  // no record begins between it and `high`
  for (bool halve = false; end - low.offset > 2 * LogSegment::kIndexInterval;
       halve = !halve) {
    uint64_t at = low.offset + (end - low.offset) / 2;
    if (!halve) {
      const double share = static_cast<double>(range.wanted - low.sequence) /
                           static_cast<double>(high.sequence - low.sequence);
      const auto guess = static_cast<uint64_t>(
          share * static_cast<double>(high.offset - low.offset));
      // Somewhat before it, so that it becomes the lower end.
      at = low.offset + guess - std::min(guess, LogSegment::kIndexInterval / 2);
      if (at >= end) at = end - 1;
    }
    KINORA_ASSIGN_OR_RETURN(const LogPosition found,
                            RecordBehind(file, range, at, end));
    if (found.offset == end) {
      end = at;
    } else if (found.sequence <= low.sequence ||
               found.sequence >= high.sequence) {
      return absl::DataLossError(absl::StrCat(
          range.path, ", offset ", found.offset, ": record ", found.sequence,
          " does not belong between ", low.sequence, " and ", high.sequence));
    } else if (found.sequence <= range.wanted) {
      low = found;
    } else {
      high = found;
      end = found.offset;
    }
  }
  range.from_line += low.sequence - range.from.sequence;
  range.from = low;
  return range;
}

}  // namespace

absl::Status ReadLogRecords(const RandomAccessFile& file, const LogRange& range,
                            LogBudget* budget, std::vector<LogRecord>* out) {
  KINORA_ASSIGN_OR_RETURN(const LogRange narrow, Narrow(file, range));
  LogLineReader lines(file, narrow.from.offset, narrow.end, kReadBytes);
  absl::string_view line;
  for (int64_t sequence = narrow.from.sequence;
       sequence <= narrow.last && !budget->exhausted(); ++sequence) {
    KINORA_ASSIGN_OR_RETURN(const bool more, lines.Next(&line));
    if (!more) return EndsBefore(narrow, sequence);
    if (sequence < narrow.wanted) continue;
    const absl::Status intact = CheckLogLineIs(sequence, line);
    if (!intact.ok()) return Annotate(intact, Where(narrow, sequence));
    out->push_back({.sequence = sequence, .line = std::string(line)});
    --budget->records;
    budget->bytes -= static_cast<int64_t>(line.size());
  }
  return absl::OkStatus();
}

absl::Status CheckLogLines(const RandomAccessFile& file,
                           const LogRange& range) {
  LogLineReader lines(file, 0, range.end, kScanBytes);
  absl::string_view line;
  int64_t expected = 0;
  for (int64_t number = 1;; ++number) {
    KINORA_ASSIGN_OR_RETURN(const bool more, lines.Next(&line));
    if (!more) return absl::OkStatus();
    absl::StatusOr<int64_t> sequence = CheckLogLine(line);
    if (sequence.ok() && expected != 0 && *sequence != expected) {
      sequence = CheckLogLineIs(expected, line);
    }
    if (!sequence.ok()) {
      return Annotate(sequence.status(),
                      absl::StrCat(range.path, ", line ", number));
    }
    expected = *sequence + 1;
  }
}

absl::StatusOr<uint64_t> FindLogRecord(const RandomAccessFile& file,
                                       const LogRange& range) {
  KINORA_ASSIGN_OR_RETURN(const LogRange narrow, Narrow(file, range));
  LogLineReader lines(file, narrow.from.offset, narrow.end, kReadBytes);
  absl::string_view line;
  uint64_t offset = narrow.from.offset;
  for (int64_t sequence = narrow.from.sequence; sequence < narrow.wanted;
       ++sequence) {
    KINORA_ASSIGN_OR_RETURN(const bool more, lines.Next(&line));
    if (!more) return EndsBefore(narrow, sequence);
    offset += line.size() + 1;
  }
  return offset;
}

}  // namespace kinora

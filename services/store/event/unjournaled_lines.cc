#include "services/store/event/unjournaled_lines.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/store/event/log_checkpoint.h"
#include "services/store/event/log_line.h"
#include "services/store/event/log_line_reader.h"
#include "services/store/event/put_aside.h"

namespace kinora {
namespace {

constexpr uint64_t kChunkBytes = uint64_t{64} << 10;

// Sorts the whole lines of a file into those that the journal has and others.
class LineSorter {
 public:
  explicit LineSorter(const JournaledLines& journaled)
      : first_(journaled.first_sequence),
        cut_at_(journaled.offset),
        journaled_(absl::StrSplit(journaled.lines, '\n')) {
    journaled_.pop_back();  // behind the last '\n'
    last_ = first_ + static_cast<int64_t>(journaled_.size()) - 1;
    next_behind_ = last_ + 1;
  }

  // A line, and where the next one begins.
  void Take(absl::string_view line, uint64_t end) {
    const absl::StatusOr<int64_t> checked = CheckLogLine(line);
    follow_ = follow_ && checked.ok() && *checked == ++number_;
    if (!checked.ok()) return;
    const int64_t sequence = *checked;
    if (follow_ && sequence < first_ && end > cut_at_) {
      found_.of_later_log = true;
      return;
    }
    if (sequence >= first_ && sequence <= last_) {
      if (line != journaled_[sequence - first_]) found_.of_later_log = true;
      return;
    }
    if (sequence == next_behind_) {
      ++next_behind_;
      absl::StrAppend(&found_.behind, line, "\n");
    }
    if (sequence > last_) {
      last_found_ = std::max(last_found_, sequence);
    }
    is_any_lost_ |= end > cut_at_;
  }

  // `aside` of the result is still to be filled.
  bool is_any_lost() const { return is_any_lost_; }
  int64_t last_found() const { return last_found_; }
  UnjournaledLines& found() { return found_; }

 private:
  const int64_t first_;
  const uint64_t cut_at_;
  std::vector<absl::string_view> journaled_;
  int64_t last_;
  int64_t next_behind_;
  int64_t last_found_ = 0;
  bool is_any_lost_ = false;
  // The lines so far are whole and follow each other from 1 on, to this one.
  bool follow_ = true;
  int64_t number_ = 0;
  UnjournaledLines found_;
};

}  // namespace

UnjournaledLines FindUnjournaledLines(FileSystem& fs, const std::string& path,
                                      const JournaledLines& journaled) {
  const absl::StatusOr<FileInfo> info = fs.Stat(path);
  const auto file = fs.OpenForRead(path);
  if (!info.ok() || !file.ok()) return {};
  LineSorter sorter(journaled);
  LogLineReader reader(**file, 0, info->size_bytes, kChunkBytes);
  uint64_t end = 0;
  absl::string_view line;
  while (reader.Next(&line).value_or(false)) {
    end += line.size() + 1;
    sorter.Take(line, end);
  }
  UnjournaledLines found = std::move(sorter.found());
  if (found.of_later_log) {
    found.behind.clear();
    found.aside = journaled.lines;
  } else if (sorter.is_any_lost()) {
    found.aside = ReadFileRange(fs, path, journaled.offset, info->size_bytes)
                      .value_or(found.behind);
    if (sorter.last_found() > 0) {
      found.end = {.sequence = sorter.last_found() + 1,
                   .offset = journaled.offset + journaled.lines.size() +
                             found.behind.size()};
    }
  }
  return found;
}

absl::Status KeepUnjournaledLines(FileSystem& fs, const std::string& path,
                                  const UnjournaledLines& found) {
  if (found.aside.empty()) return absl::OkStatus();
  KINORA_ASSIGN_OR_RETURN(const std::string aside,
                          PutAside(fs, path, found.aside));
  if (found.of_later_log) {
    LogError(
        "a log file is of a later log than the lines of its name in the "
        "journal, which has lost its end: they were put aside",
        {{"file", path}, {"aside", aside}});
    return absl::OkStatus();
  }
  LogError(
      "a log file that is made what the journal says has lines that the "
      "journal has lost: what is replaced was put aside",
      {{"file", path}, {"aside", aside}});
  const LogPosition known = ReadLogCheckpoint(fs, path).value_or(LogPosition());
  if (found.end.sequence == 0 || known.sequence >= found.end.sequence) {
    return absl::OkStatus();
  }
  return WriteLogCheckpoint(fs, path, found.end);
}

}  // namespace kinora

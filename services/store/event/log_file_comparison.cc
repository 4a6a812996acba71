#include "services/store/event/log_file_comparison.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

#include "common/telemetry/log.h"
#include "services/store/event/log_line.h"
#include "services/store/event/log_line_reader.h"

namespace kinora {
namespace {

// Below the usual limit of 1024 open files, by far.
constexpr size_t kMaxOpenFiles = 128;
constexpr uint64_t kChunkBytes = uint64_t{64} << 10;
constexpr uint64_t kLineBytes = uint64_t{4} << 10;  // most have less

void TellOfLostEnd(const std::string& path, uint64_t offset, uint64_t kept) {
  LogWarning(
      "a log file goes on behind the end of the journal, which has lost it",
      {{"file", path}, {"offset", offset}, {"bytes_kept", kept}});
}

}  // namespace

void LogFileComparison::Compare(const JournalRecord& record) {
  const auto found = states_.try_emplace(std::string(record.log));
  State& state = found.first->second;
  if (state.differs || state.stays) return;
  if (found.second) {
    const std::optional<int64_t> first = FirstSequence(record.log);
    if (first.has_value() && *first > record.first_sequence) {
      state.stays = true;
      return;
    }
  }
  state.offset = record.offset + record.lines.size();
  // A journal of version 1 does not tell the last one.
  state.next_sequence =
      record.first_sequence +
      std::count(record.lines.begin(), record.lines.end(), '\n');
  state.ends_early = true;  // unless it is seen to hold these
  const RandomAccessFile* file = Open(record.log);
  if (file == nullptr) return;
  buffer_.resize(record.lines.size());
  const absl::StatusOr<size_t> got =
      file->ReadAt(record.offset, absl::MakeSpan(buffer_));
  // What cannot be read is replaced, too.
  const size_t held = got.ok() ? *got : 0;
  const auto differing = std::mismatch(buffer_.begin(), buffer_.begin() + held,
                                       record.lines.begin());
  const auto same = static_cast<uint64_t>(differing.first - buffer_.begin());
  state.differs = same < held || !got.ok();
  if (state.differs) state.offset = record.offset + same;
  state.ends_early = held < record.lines.size();
}

absl::flat_hash_map<std::string, LogFileComparison::WholeFile>
LogFileComparison::WholeFiles() {
  absl::flat_hash_map<std::string, WholeFile> whole;
  for (auto& entry : states_) {
    State& state = entry.second;
    if (state.differs || state.ends_early) continue;
    WholeFile& file = whole[entry.first];
    const std::string path = JoinPath(root_, entry.first);
    const absl::StatusOr<FileInfo> info = fs_.Stat(path);
    file.offset = state.offset;
    const RandomAccessFile* bytes = Open(entry.first);
    if (info.ok() && bytes != nullptr && !state.stays) {
      FindLinesBehind(*bytes, info->size_bytes, &state, &file);
    }
    if (state.stays) {
      // Damage in it is no end of it: lines that were acknowledged long ago may
      // follow.
      state.offset = info.ok() ? info->size_bytes : 0;
      file.stays = true;
      TellOfLostEnd(path, 0, state.offset);
    } else if (state.bytes_behind > 0) {
      TellOfLostEnd(path, file.offset, state.bytes_behind);
    }
  }
  return whole;
}

void LogFileComparison::FindLinesBehind(const RandomAccessFile& bytes,
                                        uint64_t size, State* state,
                                        WholeFile* file) {
  LogLineReader reader(bytes, state->offset, size, kChunkBytes);
  absl::string_view line;
  int64_t next = state->next_sequence;
  bool goes_on = true;
  while (!state->stays && reader.Next(&line).value_or(false)) {
    const absl::StatusOr<int64_t> sequence = CheckLogLine(line);
    if (goes_on && sequence.ok() && *sequence == next) {
      absl::StrAppend(&file->lines_behind, line, "\n");
      ++next;
    } else {
      // What was torn has nothing behind it.
      goes_on = false;
      state->stays = sequence.ok() && *sequence >= next;
    }
  }
  state->bytes_behind = file->lines_behind.size();
}

void LogFileComparison::EndsInJournal(absl::string_view log) {
  const auto found = states_.find(log);
  if (found != states_.end()) found->second.ends_early = true;
}

absl::flat_hash_set<std::string> LogFileComparison::Differing() const {
  absl::flat_hash_set<std::string> logs;
  for (const auto& entry : states_) {
    if (entry.second.differs) logs.insert(entry.first);
  }
  return logs;
}

void LogFileComparison::LookCloser(absl::string_view log,
                                   const JournaledLines& journaled) {
  UnjournaledLines found =
      FindUnjournaledLines(fs_, JoinPath(root_, log), journaled);
  if (found.aside.empty()) return;
  if (found.of_later_log) {
    State& state = states_[log];
    state.differs = state.ends_early = false;
    state.stays = true;
  }
  unjournaled_.insert_or_assign(std::string(log), std::move(found));
}

size_t LogFileComparison::Report() {
  size_t count = 0;
  for (const auto& entry : states_) {
    const std::string path = JoinPath(root_, entry.first);
    const State& state = entry.second;
    const absl::StatusOr<FileInfo> info = fs_.Stat(path);
    const uint64_t size = info.ok() ? info->size_bytes : 0;
    if (!state.differs && size <= state.offset + state.bytes_behind) continue;
    ++count;
    LogWarning("a log file is not what the journal says, and is made so again",
               {{"file", path}, {"offset", state.offset}, {"bytes", size}});
  }
  open_.clear();
  return count;
}

std::optional<int64_t> LogFileComparison::FirstSequence(absl::string_view log) {
  const absl::StatusOr<FileInfo> info = fs_.Stat(JoinPath(root_, log));
  const RandomAccessFile* file = Open(log);
  if (!info.ok() || file == nullptr) return std::nullopt;
  LogLineReader reader(*file, 0, info->size_bytes, kLineBytes);
  absl::string_view line;
  if (!reader.Next(&line).value_or(false)) return std::nullopt;
  const absl::StatusOr<int64_t> sequence = CheckLogLine(line);
  if (!sequence.ok()) return std::nullopt;
  return *sequence;
}

const RandomAccessFile* LogFileComparison::Open(absl::string_view log) {
  const auto found = open_.find(log);
  if (found != open_.end()) return found->second.get();
  if (open_.size() >= kMaxOpenFiles) open_.clear();
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> file =
      fs_.OpenForRead(JoinPath(root_, log));
  return open_.emplace(std::string(log), file.ok() ? *std::move(file) : nullptr)
      .first->second.get();
}

}  // namespace kinora

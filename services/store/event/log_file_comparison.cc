#include "services/store/event/log_file_comparison.h"

#include <algorithm>
#include <utility>

#include "absl/types/span.h"

#include "common/log.h"

namespace kinora {
namespace {

// Below the usual limit of 1024 open files, by far.
constexpr size_t kMaxOpenFiles = 128;

}  // namespace

void LogFileComparison::Compare(const JournalRecord& record) {
  State& state = states_[record.log];
  if (state.differs) return;
  state.offset = record.offset + record.lines.size();
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
}

size_t LogFileComparison::Report() {
  size_t count = 0;
  for (const auto& entry : states_) {
    const std::string path = JoinPath(root_, entry.first);
    const State& state = entry.second;
    const absl::StatusOr<FileInfo> info = fs_.Stat(path);
    const uint64_t size = info.ok() ? info->size_bytes : 0;
    if (!state.differs && size <= state.offset) continue;
    ++count;
    LogWarning("a log file is not what the journal says, and is made so again",
               {{"file", path}, {"offset", state.offset}, {"bytes", size}});
  }
  open_.clear();
  return count;
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

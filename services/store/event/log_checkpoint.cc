#include "services/store/event/log_checkpoint.h"

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/store/event/log_line.h"

namespace kinora {
namespace {

constexpr absl::string_view kOffsetMember = "\"offset\":";
constexpr uint64_t kMaxBytes = 256;

// From so many on two syncs of the whole volume, which may hold what others
// have written, are worth it.
constexpr size_t kManyLogs = 32;

std::optional<LogPosition> Parse(absl::string_view line) {
  if (!absl::ConsumeSuffix(&line, "\n")) return std::nullopt;
  const absl::StatusOr<int64_t> last = CheckLogLine(line);
  const size_t at = line.find(kOffsetMember);
  if (!last.ok() || at == absl::string_view::npos) return std::nullopt;
  const absl::string_view digits = line.substr(at + kOffsetMember.size());
  LogPosition end{.sequence = *last + 1};
  if (!absl::SimpleAtoi(digits.substr(0, digits.find(',')), &end.offset)) {
    return std::nullopt;
  }
  return end;
}

// Of the staged names of a log, '~' is in no key.
std::string StagedPath(absl::string_view path) {
  return absl::StrCat(path, "~");
}

// Writes the file that takes the place of a checkpoint, unsynced.
absl::StatusOr<std::unique_ptr<WritableFile>> Stage(FileSystem& fs,
                                                    const std::string& staged,
                                                    const LogPosition& end) {
  std::string line;
  AppendLogLine(end.sequence - 1,
                absl::StrCat("{", kOffsetMember, end.offset, "}"), &line);
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                          fs.OpenForWrite(staged, OpenMode::kTruncate));
  KINORA_RETURN_IF_ERROR(file->Append(line));
  return file;
}

absl::Status WriteTogether(FileSystem& fs, absl::string_view root,
                           const LogEnds& ends) {
  // Before a byte is written, so that it tells of each that gets lost.
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<VolumeSync> volume,
                          fs.OpenVolume(root));
  std::vector<std::string> paths;
  absl::Cleanup remove = [&fs, &paths] {
    for (const std::string& path : paths) {
      fs.Remove(StagedPath(path)).IgnoreError();
    }
  };
  for (const auto& entry : ends) {
    paths.push_back(LogCheckpointPath(JoinPath(root, entry.first)));
    KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file,
                            Stage(fs, StagedPath(paths.back()), entry.second));
    KINORA_RETURN_IF_ERROR(file->Close());
  }
  KINORA_RETURN_IF_ERROR(volume->Sync());
  for (const std::string& path : paths) {
    KINORA_RETURN_IF_ERROR(fs.Rename(StagedPath(path), path));
  }
  std::move(remove).Cancel();
  return volume->Sync();
}

}  // namespace

std::string LogCheckpointPath(absl::string_view log_path) {
  return absl::StrCat(absl::StripSuffix(log_path, ".log"), ".checkpoint");
}

absl::Status WriteLogCheckpoint(FileSystem& fs, absl::string_view log_path,
                                const LogPosition& end) {
  const std::string path = LogCheckpointPath(log_path);
  const std::string staged = StagedPath(path);
  absl::Cleanup remove = [&fs, &staged] { fs.Remove(staged).IgnoreError(); };
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file,
                          Stage(fs, staged, end));
  KINORA_RETURN_IF_ERROR(file->Sync());
  KINORA_RETURN_IF_ERROR(file->Close());
  KINORA_RETURN_IF_ERROR(fs.Rename(staged, path));
  std::move(remove).Cancel();
  return fs.SyncDirectory(ParentPath(path));
}

absl::Status WriteLogCheckpoints(FileSystem& fs, absl::string_view root,
                                 const LogEnds& ends) {
  LogEnds due;
  for (const auto& entry : ends) {
    const std::string path = JoinPath(root, entry.first);
    if (absl::IsNotFound(fs.Stat(ParentPath(path)).status())) continue;
    const std::optional<LogPosition> there = ReadLogCheckpoint(fs, path);
    if (there.has_value() &&
        (there->sequence > entry.second.sequence || *there == entry.second)) {
      continue;
    }
    due.insert(entry);
  }
  if (due.size() >= kManyLogs) {
    const absl::Status written = WriteTogether(fs, root, due);
    // Where that promises nothing each is synced alone.
    if (!absl::IsUnimplemented(written)) return written;
  }
  for (const auto& entry : due) {
    KINORA_RETURN_IF_ERROR(
        WriteLogCheckpoint(fs, JoinPath(root, entry.first), entry.second));
  }
  return absl::OkStatus();
}

std::optional<LogPosition> ReadLogCheckpoint(FileSystem& fs,
                                             absl::string_view log_path) {
  const std::string path = LogCheckpointPath(log_path);
  const absl::StatusOr<std::string> line = ReadFile(fs, path, kMaxBytes);
  if (absl::IsNotFound(line.status())) return std::nullopt;
  std::optional<LogPosition> end;
  if (line.ok()) end = Parse(*line);
  if (!end.has_value()) {
    LogWarning("ignored the damaged checkpoint of a log", {{"file", path}});
  }
  return end;
}

}  // namespace kinora

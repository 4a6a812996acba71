#include "services/store/event/log_checkpoint.h"

#include <memory>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/log.h"
#include "common/status.h"
#include "services/store/event/log_line.h"

namespace kinora {
namespace {

constexpr absl::string_view kOffsetMember = "\"offset\":";
constexpr uint64_t kMaxBytes = 256;

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

}  // namespace

std::string LogCheckpointPath(absl::string_view log_path) {
  return absl::StrCat(absl::StripSuffix(log_path, ".log"), ".checkpoint");
}

absl::Status WriteLogCheckpoint(FileSystem& fs, absl::string_view log_path,
                                const LogPosition& end) {
  const std::string path = LogCheckpointPath(log_path);
  // Of the staged names of a log, '~' is in no key.
  const std::string staged = absl::StrCat(path, "~");
  std::string line;
  AppendLogLine(end.sequence - 1,
                absl::StrCat("{", kOffsetMember, end.offset, "}"), &line);
  absl::Cleanup remove = [&fs, &staged] { fs.Remove(staged).IgnoreError(); };
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                          fs.OpenForWrite(staged, OpenMode::kTruncate));
  KINORA_RETURN_IF_ERROR(file->Append(line));
  KINORA_RETURN_IF_ERROR(file->Sync());
  KINORA_RETURN_IF_ERROR(file->Close());
  KINORA_RETURN_IF_ERROR(fs.Rename(staged, path));
  std::move(remove).Cancel();
  return fs.SyncDirectory(ParentPath(path));
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

#include "services/store/event/log_file_removal.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/status.h"
#include "services/store/event/event_log.h"
#include "services/store/event/log_checkpoint.h"

namespace kinora {
namespace {

absl::Status RemoveIfThere(FileSystem& fs, const std::string& path) {
  const absl::Status removed = fs.Remove(path);
  return absl::IsNotFound(removed) ? absl::OkStatus() : removed;
}

std::string NotePath(absl::string_view root, absl::string_view log) {
  return JoinPath(root,
                  absl::StrCat(absl::StripSuffix(log, ".log"), ".removal"));
}

}  // namespace

absl::Status NoteLogRemoval(FileSystem& fs, absl::string_view root,
                            absl::string_view log) {
  const std::string path = NotePath(root, log);
  const absl::StatusOr<std::unique_ptr<WritableFile>> note =
      fs.OpenForWrite(path, OpenMode::kTruncate);
  if (absl::IsNotFound(note.status())) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(note.status());
  return fs.SyncDirectory(ParentPath(path));
}

absl::StatusOr<bool> LogRemovalIsNoted(FileSystem& fs, absl::string_view root,
                                       absl::string_view log) {
  return Exists(fs, NotePath(root, log));
}

absl::Status RemoveLogFiles(FileSystem& fs, absl::string_view root,
                            absl::string_view log) {
  const std::string path = JoinPath(root, log);
  const std::string directory(ParentPath(path));
  const std::string suffix = ArchiveSuffix(log);
  const absl::StatusOr<std::vector<std::string>> names = fs.List(directory);
  if (absl::IsNotFound(names.status())) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(names.status());
  for (const std::string& name : *names) {
    // Also a copy that a crash left behind.
    const absl::string_view archive = absl::StripSuffix(name, "~");
    if (!absl::EndsWith(archive, suffix) || archive == suffix) continue;
    KINORA_RETURN_IF_ERROR(RemoveIfThere(fs, JoinPath(directory, name)));
    KINORA_RETURN_IF_ERROR(fs.SyncDirectory(directory));
  }
  for (const std::string& file : {LogCheckpointPath(path), path}) {
    KINORA_RETURN_IF_ERROR(RemoveIfThere(fs, absl::StrCat(file, "~")));
    KINORA_RETURN_IF_ERROR(RemoveIfThere(fs, file));
  }
  KINORA_RETURN_IF_ERROR(fs.SyncDirectory(directory));
  const absl::Status ended = fs.Remove(NotePath(root, log));
  if (absl::IsNotFound(ended)) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(ended);
  return fs.SyncDirectory(directory);
}

}  // namespace kinora

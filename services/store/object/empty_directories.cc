#include "services/store/object/empty_directories.h"

#include <string>
#include <vector>

#include "common/status.h"

namespace kinora {

absl::StatusOr<bool> RemoveEmptyTree(FileSystem& fs, absl::string_view path) {
  const absl::StatusOr<FileInfo> info = fs.Stat(path);
  // Of something that is there: a link to nothing.
  if (absl::IsNotFound(info.status())) return false;
  KINORA_RETURN_IF_ERROR(info.status());
  if (!info->is_directory || info->is_link) return false;
  KINORA_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs.List(path));
  for (const std::string& name : names) {
    KINORA_ASSIGN_OR_RETURN(const bool removed,
                            RemoveEmptyTree(fs, JoinPath(path, name)));
    if (!removed) return false;
  }
  KINORA_RETURN_IF_ERROR(fs.Remove(path));
  return true;
}

}  // namespace kinora

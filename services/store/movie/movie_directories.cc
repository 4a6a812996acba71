#include "services/store/movie/movie_directories.h"

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/strip.h"

#include "common/status.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

// True if it is gone. A file anywhere in it ends the search.
absl::StatusOr<bool> RemoveIfEmpty(FileSystem& fs, absl::string_view path) {
  const absl::StatusOr<FileInfo> info = fs.Stat(path);
  if (absl::IsNotFound(info.status())) return false;  // a link to nothing
  KINORA_RETURN_IF_ERROR(info.status());
  if (!info->is_directory || info->is_link) return false;
  KINORA_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs.List(path));
  for (const std::string& name : names) {
    KINORA_ASSIGN_OR_RETURN(const bool removed,
                            RemoveIfEmpty(fs, JoinPath(path, name)));
    if (!removed) return false;
  }
  KINORA_RETURN_IF_ERROR(fs.Remove(path));
  return true;
}

}  // namespace

absl::Status RemoveEmptyMovieDirectories(FileSystem& fs,
                                         absl::string_view root) {
  const std::string builds =
      JoinPath(root, absl::StripSuffix(kBuildsPrefix, "/"));
  const absl::StatusOr<std::vector<std::string>> names = fs.List(builds);
  if (absl::IsNotFound(names.status())) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(names.status());
  for (const std::string& name : *names) {
    const absl::Status movie = fs.Stat(JoinPath(root, MovieKey(name))).status();
    if (!absl::IsNotFound(movie)) continue;
    KINORA_RETURN_IF_ERROR(RemoveIfEmpty(fs, JoinPath(builds, name)).status());
  }
  return absl::OkStatus();
}

}  // namespace kinora

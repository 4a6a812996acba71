#include "services/store/movie/movie_directories.h"

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/strip.h"

#include "common/status.h"
#include "services/store/layout.h"
#include "services/store/object/empty_directories.h"

namespace kinora {
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
    KINORA_RETURN_IF_ERROR(
        RemoveEmptyTree(fs, JoinPath(builds, name)).status());
  }
  return absl::OkStatus();
}

}  // namespace kinora

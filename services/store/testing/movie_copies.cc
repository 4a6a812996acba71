#include "services/store/testing/movie_copies.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "common/testing/status_matchers.h"

namespace kinora {

absl::StatusOr<std::string> CopyOf(Store store, absl::string_view movie_id) {
  v1::BackUpMovieRequest request;
  request.set_movie_id(std::string(movie_id));
  std::string copy;
  KINORA_RETURN_IF_ERROR(
      store.maintenance.BackUpMovie(request, [&](absl::string_view bytes) {
        absl::StrAppend(&copy, bytes);
        return absl::OkStatus();
      }));
  return copy;
}

absl::StatusOr<std::string> RestoreFrom(Store store, absl::string_view movie_id,
                                        absl::string_view copy,
                                        size_t piece_bytes) {
  KINORA_ASSIGN_OR_RETURN(const v1::RestoreMovieResponse response,
                          store.maintenance.RestoreMovie(
                              movie_id, [&]() -> absl::StatusOr<std::string> {
                                const absl::string_view piece =
                                    copy.substr(0, piece_bytes);
                                copy.remove_prefix(piece.size());
                                return std::string(piece);
                              }));
  return response.current_revision();
}

std::vector<std::string> ProblemsOf(Store store, absl::string_view movie_id) {
  v1::VerifyMovieRequest request;
  request.set_movie_id(std::string(movie_id));
  std::vector<std::string> problems;
  EXPECT_OK(store.maintenance.VerifyMovie(
      request, [&](const v1::VerifyMovieResponse& response) {
        for (const v1::VerifyProblem& problem : response.problems()) {
          problems.push_back(
              absl::StrCat(problem.path(), ": ", problem.message()));
        }
        return absl::OkStatus();
      }));
  return problems;
}

absl::Status DeleteMovie(Store store, absl::string_view movie_id) {
  v1::DeleteMovieRequest request;
  request.set_movie_id(std::string(movie_id));
  return store.movies.Delete(request).status();
}

std::map<std::string, std::string> FilesBelow(FileSystem& fs,
                                              const std::string& directory) {
  std::map<std::string, std::string> files;
  const absl::StatusOr<std::vector<std::string>> names = fs.List(directory);
  if (!names.ok()) return files;
  for (const std::string& name : *names) {
    const std::string path = JoinPath(directory, name);
    const absl::StatusOr<FileInfo> info = fs.Stat(path);
    if (!info.ok()) continue;
    if (info->is_directory) {
      for (auto& below : FilesBelow(fs, path)) {
        files[absl::StrCat(name, "/", below.first)] = std::move(below.second);
      }
      continue;
    }
    const absl::StatusOr<std::string> bytes = ReadFile(fs, path);
    EXPECT_OK(bytes);
    files[name] = bytes.ok() ? *bytes : "";
  }
  return files;
}

}  // namespace kinora

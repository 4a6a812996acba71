#include "clients/cpp/import/film_folder.h"

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"
#include "common/status.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"

namespace kinora {
namespace {

absl::Status CopyTree(FileSystem& fs, absl::string_view from,
                      absl::string_view to) {
  KINORA_RETURN_IF_ERROR(fs.CreateDirectories(to));
  KINORA_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs.List(from));
  for (const std::string& name : names) {
    const std::string source = JoinPath(from, name);
    const std::string copy = JoinPath(to, name);
    KINORA_ASSIGN_OR_RETURN(const FileInfo info, fs.Stat(source));
    if (info.is_directory) {
      KINORA_RETURN_IF_ERROR(CopyTree(fs, source, copy));
      continue;
    }
    KINORA_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(fs, source));
    KINORA_RETURN_IF_ERROR(WriteFileAtomically(fs, copy, bytes));
  }
  return absl::OkStatus();
}

}  // namespace

const std::string& FilmFolder() {
  static const TempDir dir;
  static const absl::Status copied = CopyTree(
      PosixFileSystem(), "clients/cpp/import/testdata/film", dir.path());
  EXPECT_OK(copied);
  return dir.path();
}

}  // namespace kinora

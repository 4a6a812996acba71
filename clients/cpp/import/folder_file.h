// The files that an older revision names: where they lead, and what they hold.

#ifndef KINORA_CLIENTS_CPP_IMPORT_FOLDER_FILE_H_
#define KINORA_CLIENTS_CPP_IMPORT_FOLDER_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "clients/cpp/import/revision_folder.h"
#include "common/files/file_system.h"

namespace kinora {

// OK if `path` is a regular file below `root`, links followed. `root` is as of
// FileSystem::RealPath(). INVALID_ARGUMENT telling where it leads if that is
// elsewhere or no regular file; NOT_FOUND if it leads to nothing.
absl::Status CheckLeadsBelow(FileSystem& fs, absl::string_view path,
                             absl::string_view root);

// The value that is the bytes of the file `path`, of the media type that its
// name, or else its bytes, have it. Reads it once.
absl::StatusOr<FolderValue> ValueOfFile(FileSystem& fs, absl::string_view path);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_IMPORT_FOLDER_FILE_H_

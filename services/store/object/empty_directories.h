// Directories in which there is nothing.

#ifndef KINORA_SERVICES_STORE_OBJECT_EMPTY_DIRECTORIES_H_
#define KINORA_SERVICES_STORE_OBJECT_EMPTY_DIRECTORIES_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"

namespace kinora {

// Removes the directory `path` with those in it, unless there is a file
// anywhere in it: then what was looked at before stays gone, and all else
// stays. No link is followed, and nothing is synced: a directory that a crash
// brings back is as empty as it was. True if it is gone by this call.
absl::StatusOr<bool> RemoveEmptyTree(FileSystem& fs, absl::string_view path);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_OBJECT_EMPTY_DIRECTORIES_H_

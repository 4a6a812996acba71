// Files that desktops, editors and version control leave lying about.

#ifndef KINORA_CLIENTS_CPP_IMPORT_STRAY_FILE_H_
#define KINORA_CLIENTS_CPP_IMPORT_STRAY_FILE_H_

#include "absl/strings/string_view.h"

namespace kinora {

// True for the name, without directories, of a file or directory that is no
// part of any movie: `.DS_Store`, `Thumbs.db`, `notes.txt~`, `.git`.
bool IsStrayName(absl::string_view name);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_IMPORT_STRAY_FILE_H_

// FolderFiles are all files of an older revision folder: what its documents
// name is found and read here, and what none of them names is listed.

#ifndef KINORA_CLIENTS_CPP_IMPORT_FOLDER_FILES_H_
#define KINORA_CLIENTS_CPP_IMPORT_FOLDER_FILES_H_

#include <map>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "clients/cpp/import/revision_folder.h"
#include "common/files/file_system.h"

namespace kinora {

// Not thread-safe. Files are named by their paths below the folder.
class FolderFiles {
 public:
  // `fs` MUST outlive this.
  FolderFiles(FileSystem& fs, absl::string_view dir) : fs_(fs), dir_(dir) {}

  // Before all else. An error if there is no such folder.
  absl::Status Open();

  // Where it is, for errors too; the folder's own path for "".
  std::string PathOf(absl::string_view below) const;

  // As CheckLeadsBelow() of the folder, with the path.
  absl::Status CheckPlace(absl::string_view below);

  // The text of a document.
  absl::StatusOr<std::string> Read(const std::string& below);

  // What a reference means: a `file://` URL, an absolute path, or one relative
  // to `base`; nullopt if it leads out.
  std::optional<std::string> Below(absl::string_view base,
                                   absl::string_view reference) const;

  absl::StatusOr<bool> IsFile(absl::string_view below);

  // The file that a reference in the document `file` means. INVALID_ARGUMENT
  // naming both if it leads out, or to nothing that can be taken.
  absl::StatusOr<std::string> Find(absl::string_view file,
                                   absl::string_view base,
                                   const std::string& reference);

  // Each file is read once.
  absl::StatusOr<FolderValue> ValueOf(const std::string& below);

  // Lists what was neither read nor found, below `below`.
  absl::Status ListUnused(const std::string& below, RevisionFolder* folder);

 private:
  bool IsNamedBelow(const std::string& path) const;

  FileSystem& fs_;
  const std::string dir_;
  std::string root_;  // what it leads to, without links
  std::map<std::string, FolderValue> values_;
  std::set<std::string> named_;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_IMPORT_FOLDER_FILES_H_

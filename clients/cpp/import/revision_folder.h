// A RevisionFolder is a movie in the layout that came before manifests: one
// folder a revision, with files beside JSON that names them by their paths.
//
//   DIR/blueprint.yaml                    the movie's blueprint
//   DIR/revisions/rev-0001/inputs.json    {"Topic": "the sea", ...}
//                          artefacts.json {"Image[segment=0]": "images/0.png"}
//                          timeline.json  any JSON; strings in it are URLs
//                          images/0.png   and other files
//   DIR/revisions/rev-0002/...
//
// Revisions are taken in the order of their numbers, which may have gaps. Of
// the three documents each may be missing, but not all.
//
//   - Inputs: values of the types that the blueprint gives them; {"file": PATH}
//     stands for the bytes of a file. One that is not named keeps its value.
//   - Artefacts: all that the revision has, each with its file, which several
//     may share; one that is not named is gone from then on.
//   - The timeline becomes `Artifact:Timeline`, unless artefacts.json gives its
//     file another id. A string in it that names a file below DIR, as a path or
//     a `file://` URL, becomes the id of the artefact that has this file, the
//     first by id if there are several; the product finds its bytes by the
//     revision's manifest.
// Paths are relative to the revision's folder, or absolute; all files are below
// DIR, also those that links lead to, and regular ones. Text is UTF-8. What no
// document names is listed as unused, or, if its name is one that desktops and
// editors leave behind, as stray.

#ifndef KINORA_CLIENTS_CPP_IMPORT_REVISION_FOLDER_H_
#define KINORA_CLIENTS_CPP_IMPORT_REVISION_FOLDER_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"

namespace kinora {

// A value of an input or artefact: bytes in memory or those of a file.
struct FolderValue {
  std::string path;   // the file; empty for `bytes`
  std::string bytes;  // text, or canonical JSON
  std::string mime_type;
  std::string hash;  // SHA-256 of the bytes, wherever they are
  int64_t size_bytes = 0;
  bool is_utf8 = true;
};

struct FolderRevision {
  std::string name;  // the folder's, `rev-0001`
  // Those in effect, by id.
  std::map<std::string, FolderValue> inputs;
  std::map<std::string, FolderValue> artefacts;
};

struct RevisionFolder {
  std::string blueprint;
  std::vector<FolderRevision> revisions;
  // Files, and stray directories, by their paths below the folder.
  std::vector<std::string> unused;
  std::vector<std::string> stray;
};

// Reads and checks all of it, inputs against the blueprint; holds no file's
// bytes in memory but one. INVALID_ARGUMENT naming the file, the element and
// the value of everything that is wrong, one in a line (folder_problems.h);
// NOT_FOUND if that is one file that is missing. A blueprint that is none is
// told of alone.
absl::StatusOr<RevisionFolder> ReadRevisionFolder(FileSystem& fs,
                                                  absl::string_view dir);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_IMPORT_REVISION_FOLDER_H_

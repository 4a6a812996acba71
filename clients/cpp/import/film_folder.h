// The film of testdata/ as plain files: what Bazel gives a test are links, and
// an import takes none that lead out of its folder.

#ifndef KINORA_CLIENTS_CPP_IMPORT_FILM_FOLDER_H_
#define KINORA_CLIENTS_CPP_IMPORT_FILM_FOLDER_H_

#include <string>

namespace kinora {

// The path of a copy that lives as long as the process.
const std::string& FilmFolder();

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_IMPORT_FILM_FOLDER_H_

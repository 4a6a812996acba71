// Making a movie of an older revision folder: `kinora movie import MOVIE DIR`,
// `kinora import DIR --as MOVIE`.

#ifndef KINORA_CLIENTS_CLI_FOLDER_IMPORT_H_
#define KINORA_CLIENTS_CLI_FOLDER_IMPORT_H_

#include <string>

#include "absl/status/statusor.h"

#include "clients/cli/command.h"

namespace kinora {

// Imports it and says so; with `dry_run` it checks all and writes nothing. The
// exit code.
absl::StatusOr<int> ImportFolder(const Invocation& call,
                                 const std::string& movie_id,
                                 const std::string& directory, bool dry_run);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_FOLDER_IMPORT_H_

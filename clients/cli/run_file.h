// The file of `kinora runs export`, as `kinora import` looks at it before it
// asks a server for anything.

#ifndef KINORA_CLIENTS_CLI_RUN_FILE_H_
#define KINORA_CLIENTS_CLI_RUN_FILE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "clients/cli/copy_streams.h"
#include "kinora/v1/maintenance.pb.h"
#include "services/store/backup/copy_head.h"

namespace kinora {

// What the file says it is; `copy` gives it from its beginning afterwards.
// INVALID_ARGUMENT if it is no export: damaged, something else (DATA_CORRUPT),
// the copy of a whole movie, or by a newer build (FORMAT_UNKNOWN).
absl::StatusOr<CopyHead> ReadRunFileHead(CopyReader& copy);

// What checking a file has found.
struct CheckedRunFile {
  v1::RestoreMovieResponse restored;
  v1::VerifyMovieResponse verified;  // how much was checked
  std::vector<v1::VerifyProblem> problems;
};

// Makes the movie of the file in a store of its own, below the directory for
// temporary files, verifies it there as `kinora verify` does, and removes it.
// Asks no server. Errors are those of RestoreMovie.
absl::StatusOr<CheckedRunFile> CheckRunFile(const std::string& movie_id,
                                            CopyReader& copy);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_RUN_FILE_H_

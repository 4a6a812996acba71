// Copying movies in tests: on any store, in one line each.

#ifndef KINORA_SERVICES_STORE_TESTING_MOVIE_COPIES_H_
#define KINORA_SERVICES_STORE_TESTING_MOVIE_COPIES_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"
#include "services/store/store.h"

namespace kinora {

absl::StatusOr<std::string> CopyOf(Store store, absl::string_view movie_id);

// Gives the copy in pieces of `piece_bytes`. The current revision.
absl::StatusOr<std::string> RestoreFrom(Store store, absl::string_view movie_id,
                                        absl::string_view copy,
                                        size_t piece_bytes = 100'000);

// What people can ask a store for of a movie, by a name for each: `current`,
// the hash of the current manifest; `rev-0001`, a manifest's bytes; `inputs 1`,
// an event of its logs or of the ledger of a run it lists; `blob 7f3c...`,
// whether one that an event names can be read, checked against its hash. The
// same for a copy, under whatever id.
std::map<std::string, std::string> SeenOf(Store store,
                                          absl::string_view movie_id);

// `path: message` of each problem. Fails the test if nothing was checked.
std::vector<std::string> ProblemsOf(Store store, absl::string_view movie_id);

absl::Status DeleteMovie(Store store, absl::string_view movie_id);

// The bytes of the files below `directory`, by path below it.
std::map<std::string, std::string> FilesBelow(FileSystem& fs,
                                              const std::string& directory);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_TESTING_MOVIE_COPIES_H_

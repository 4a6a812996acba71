// Makes a movie of a RevisionFolder, or goes on with one that was begun.
//
// Each revision of the folder that differs from the one before becomes a
// revision of the movie, in order and without gaps: its changed inputs as edits
// by the user, its changed artefacts as results of a run that bears a name made
// from their content, and a commit. A run so named was never started: it has no
// ledger. The inputs hash of an imported artefact is that of its content, so no
// job's key matches it: KeepResults() (kept_results.h) gives it one.
//
// It is checked first that the movie has no revision that the folder would not
// make, but for those that keep what its last one has. Names of requests and
// runs are made from content, so repeating an import that was cut short ends in
// the same movie.

#ifndef KINORA_CLIENTS_CPP_IMPORT_MOVIE_IMPORT_H_
#define KINORA_CLIENTS_CPP_IMPORT_MOVIE_IMPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "clients/cpp/import/revision_folder.h"
#include "common/files/file_system.h"
#include "services/store/store.h"

namespace kinora {

// What became, or would become, of a revision of the folder.
struct ImportedRevision {
  std::string folder_revision;
  std::string revision;    // of the movie
  int64_t inputs = 0;      // edits
  int64_t artefacts = 0;   // results
  int64_t removed = 0;     // artefacts that are gone
  int64_t bytes = 0;       // of the values, before equal ones are shared
  bool was_there = false;  // imported before, or the same as the one before
  std::string hash;        // of the manifest; empty if it is not made
};

// FAILED_PRECONDITION, and nothing written, if there is a movie of that id with
// another blueprint or with revisions of its own. With `dry_run` nothing is
// written at all.
absl::StatusOr<std::vector<ImportedRevision>> ImportMovie(
    const Store& store, FileSystem& fs, absl::string_view movie_id,
    const RevisionFolder& folder, bool dry_run);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_IMPORT_MOVIE_IMPORT_H_

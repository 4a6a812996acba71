// The directories that movies have left behind.
//
// A movie that is deleted, or whose creation came to nothing, leaves its
// directories, empty. They cannot go at once: the drivers know which
// directories are durable (services/store/object/durable_directories.h), and
// calls that were let in before, such as uploads, still write into them. So
// they go when a store opens and nobody knows of any yet. Those of a
// restoration that came to nothing go with it, unless it was cut short: nobody
// else was let in (ObjectStorage::DropEmpty()).

#ifndef KINORA_SERVICES_STORE_MOVIE_MOVIE_DIRECTORIES_H_
#define KINORA_SERVICES_STORE_MOVIE_MOVIE_DIRECTORIES_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"

namespace kinora {

// Removes each directory of a movie, below the data directory `root`, in which
// there is nothing but directories. Whatever holds a file stays; no link is
// followed. Costs a look at each movie. Nothing is synced: a directory that a
// crash brings back is as empty as it was. An error leaves the rest for the
// next time. REQUIRES: the root is locked, and no driver knows any directory
// without files in it.
absl::Status RemoveEmptyMovieDirectories(FileSystem& fs,
                                         absl::string_view root);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_MOVIE_MOVIE_DIRECTORIES_H_

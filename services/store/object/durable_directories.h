// DurableDirectories makes directories whose names are on stable storage before
// anything in them is acknowledged.
//
// FileSystem::CreateDirectories() alone does not promise that: a directory may
// be there because another thread, or this program before it was killed, made
// it a moment ago and has not synced its parent. So each directory is synced
// into its parent once in the life of this object, whether it was found or
// made.

#ifndef KINORA_SERVICES_STORE_OBJECT_DURABLE_DIRECTORIES_H_
#define KINORA_SERVICES_STORE_OBJECT_DURABLE_DIRECTORIES_H_

#include <set>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"
#include "common/threads/mutex.h"

namespace kinora {

// Thread-safe. A directory that this was asked for, or one above it, MUST NOT
// be removed while this lives, but as Forget() says.
class DurableDirectories {
 public:
  // `fs` MUST outlive this. What lies above `root` is taken for durable.
  DurableDirectories(FileSystem& fs, absl::string_view root)
      : fs_(fs), root_(root) {}

  // Makes `directory`, which is `root` or below it, and those above it up to
  // `root`, and syncs their names. Costs a look-up once that is done.
  absl::Status Ensure(absl::string_view directory) ABSL_LOCKS_EXCLUDED(mu_);

  // For many directories that are about to be synced together: Make() makes one
  // without a sync, its parent as Ensure() does; AreDurable() is told of those
  // made, once VolumeSync::Sync() has returned OK after that.
  absl::Status Make(absl::string_view directory) ABSL_LOCKS_EXCLUDED(mu_);
  void AreDurable(const std::set<std::string>& directories)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Nobody writes into `directory`, or one below it, before Ensure() or Make()
  // is called for that again: they may be removed from here on.
  void Forget(absl::string_view directory) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  absl::Status EnsureLocked(absl::string_view directory)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Remember(absl::string_view directory) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  FileSystem& fs_;
  const std::string root_;

  // Held while a directory is made: whoever finds one known here finds it
  // durable.
  Mutex mu_;
  absl::flat_hash_set<std::string> known_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_OBJECT_DURABLE_DIRECTORIES_H_

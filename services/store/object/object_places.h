// Where objects lie as files below a root directory, and how their names become
// durable.

#ifndef KINORA_SERVICES_STORE_OBJECT_OBJECT_PLACES_H_
#define KINORA_SERVICES_STORE_OBJECT_OBJECT_PLACES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"
#include "services/store/object/durable_directories.h"
#include "services/store/write_gate.h"

namespace kinora {

// Thread-safe.
class ObjectPlaces {
 public:
  // `fs` and `gate` MUST outlive this.
  ObjectPlaces(FileSystem& fs, absl::string_view root, WriteGate& gate)
      : fs_(fs), root_(root), gate_(gate), directories_(fs, root) {}

  std::string PathOf(absl::string_view key) const {
    return JoinPath(root_, key);
  }

  // Syncs a directory; a failure closes the gate for good.
  absl::Status SyncNamesIn(absl::string_view directory) {
    const absl::Status status = fs_.SyncDirectory(directory);
    return status.ok() ? status : gate_.Close(status);
  }

  // The same where names were removed: a directory that has gone with them has
  // none.
  absl::Status SyncRemovalsIn(absl::string_view directory) {
    const absl::Status status = fs_.SyncDirectory(directory);
    if (status.ok() || absl::IsNotFound(status)) return absl::OkStatus();
    return gate_.Close(status);
  }

  FileSystem& fs() { return fs_; }
  WriteGate& gate() { return gate_; }
  DurableDirectories& directories() { return directories_; }

 private:
  FileSystem& fs_;
  const std::string root_;
  WriteGate& gate_;
  DurableDirectories directories_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_OBJECT_OBJECT_PLACES_H_

// A GatedFileSystem is the disk of one store: a change that it refuses because
// the volume is read-only closes the store's WriteGate, whichever driver made
// it.

#ifndef KINORA_SERVICES_STORE_GATED_FILE_SYSTEM_H_
#define KINORA_SERVICES_STORE_GATED_FILE_SYSTEM_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/file_system.h"
#include "common/forwarding_file_system.h"
#include "services/store/write_gate.h"

namespace kinora {

// As `base`, but what would fail with a ReadOnlyVolume() fails with the status
// of the gate, closed for good: such a volume is one that the system has
// remounted after an error, and nobody knows what else is wrong with it. A file
// or directory that refuses the server alone (EACCES, EPERM) is another matter:
// it fails the calls that need it, with PERMISSION_DENIED naming it.
//
// Thread-safe, and its files as those of `base`.
class GatedFileSystem final : public ForwardingFileSystem {
 public:
  // `base` and `gate` MUST outlive this, and this the files that it opens.
  GatedFileSystem(FileSystem& base, WriteGate& gate)
      : ForwardingFileSystem(base), gate_(gate) {}

  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForWrite(
      absl::string_view path, OpenMode mode) override;
  absl::Status CreateDirectories(absl::string_view directory) override;
  absl::Status CreateDirectory(absl::string_view directory) override;
  absl::Status Rename(absl::string_view from, absl::string_view to) override;
  absl::Status RenameIfAbsent(absl::string_view from,
                              absl::string_view to) override;
  absl::Status Remove(absl::string_view path) override;
  absl::Status Truncate(absl::string_view path, uint64_t size_bytes) override;
  absl::Status Touch(absl::string_view path) override;
  absl::Status SyncDirectory(absl::string_view directory) override;
  absl::StatusOr<std::unique_ptr<FileLock>> Lock(
      absl::string_view path) override;

 private:
  class File;

  // What came of a change, after the gate was closed if that is due.
  absl::Status Changed(const absl::Status& status) {
    return IsReadOnlyVolume(status) ? gate_.Close(status) : status;
  }

  WriteGate& gate_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_GATED_FILE_SYSTEM_H_

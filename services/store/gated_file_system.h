// A GatedFileSystem is the disk of one store: a change that fails because of
// the volume, and not of one file, closes the store's WriteGate, whichever
// driver made it.

#ifndef KINORA_SERVICES_STORE_GATED_FILE_SYSTEM_H_
#define KINORA_SERVICES_STORE_GATED_FILE_SYSTEM_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"
#include "common/files/forwarding_file_system.h"
#include "services/store/write_gate.h"

namespace kinora {

// As `base`, but these fail with the status of the gate, closed for good:
//   - what would fail with a ReadOnlyVolume(): such a volume is one that the
//     system has remounted after an error, and nobody knows what else is wrong
//     with it;
//   - a change that would fail with a DiskFailure(), and the sync of a file
//   that
//     fails for whatever reason but want of room: nobody can tell what is on
//     the disk.
// A read that fails, and a file or directory that refuses the server alone
// (EACCES, EPERM), are another matter: they fail the calls that need them.
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
    return IsReadOnlyVolume(status) || IsDiskFailure(status)
               ? gate_.Close(status)
               : status;
  }
  // The same of the sync of a file.
  absl::Status Synced(const absl::Status& status) {
    return status.ok() || absl::IsResourceExhausted(status)
               ? status
               : gate_.Close(status);
  }

  WriteGate& gate_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_GATED_FILE_SYSTEM_H_

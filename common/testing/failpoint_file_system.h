// A FailpointFileSystem is the disk with a name for every change of it: before
// each one it says which, and the process may choose to die there. So a test
// can kill a store at every write, sync, rename, link, unlink and truncation
// that it makes.
//
// A point is "<operation> <file>", such as "write journal/N" or
// "rename staging~/N > builds/MOVIE/current.json": what is different in each
// run or movie is replaced, so that a name says what kind of file is meant. A
// write has two points, before it and with half of its bytes written.
//
// A process that is killed loses nothing that the kernel has: syncs are named
// but not waited for.

#ifndef KINORA_COMMON_TESTING_FAILPOINT_FILE_SYSTEM_H_
#define KINORA_COMMON_TESTING_FAILPOINT_FILE_SYSTEM_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"
#include "common/files/forwarding_file_system.h"

namespace kinora {

// What kind of file a path below the data directory is: the movie's id, run
// ids, revisions, hashes, their first digits and numbers are replaced by MOVIE,
// RUN, REV, HASH, HH and N.
std::string FilePattern(absl::string_view data_dir, absl::string_view path);

// As thread-safe as `reach`.
class FailpointFileSystem final : public ForwardingFileSystem {
 public:
  // Called with each point before it is passed.
  using Reach = std::function<void(const std::string& point)>;

  FailpointFileSystem(absl::string_view data_dir, Reach reach)
      : ForwardingFileSystem(PosixFileSystem()),
        data_dir_(data_dir),
        reach_(std::move(reach)) {}

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
  absl::StatusOr<std::unique_ptr<VolumeSync>> OpenVolume(
      absl::string_view directory) override;

 private:
  class File;
  class Volume;

  void At(absl::string_view operation, absl::string_view path) const;
  void At(absl::string_view operation, absl::string_view from,
          absl::string_view to) const;

  const std::string data_dir_;
  const Reach reach_;
};

}  // namespace kinora

#endif  // KINORA_COMMON_TESTING_FAILPOINT_FILE_SYSTEM_H_

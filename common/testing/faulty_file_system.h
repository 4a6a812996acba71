// A FaultyFileSystem is a FileSystem in memory that behaves like the worst disk
// POSIX allows: after Crash() only what was synced is sure to be there.
//
// It keeps two states, what processes see and what is on stable storage. Sync()
// carries a file's bytes over, SyncDirectory() the names of one directory
// (common/testing/faulty_disk.h).
// Crash(seed) decides, the same way for the same seed, for each file how much
// of the unsynced bytes survives (the last write may be torn), and for each
// change of a name that was not synced whether it happened.

#ifndef KINORA_COMMON_TESTING_FAULTY_FILE_SYSTEM_H_
#define KINORA_COMMON_TESTING_FAULTY_FILE_SYSTEM_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"

namespace kinora {

// The operations that can be made to fail.
enum class FileOp {
  kOpenForRead,
  kOpenForWrite,
  kRead,
  kAppend,
  kReserve,
  kSync,
  kClose,
  kList,
  kStat,
  kRealPath,
  kCreateDirectories,
  kRename,
  kRenameIfAbsent,
  kRemove,
  kTruncate,
  kTouch,
  kSyncDirectory,
  kCreateDirectory,
  kOpenVolume,
  kSyncVolume,
  kLock,
};

struct FaultyFileSystemState;  // private, in faulty_files.h

// Thread-safe. Open files stay usable after a crash only in the sense that each
// call on them fails with UNAVAILABLE.
class FaultyFileSystem final : public FileSystem {
 public:
  enum class Survival {
    kNothing,  // all unsynced bytes and names are lost
    kRandom,   // each survives or not, by the seed
  };

  FaultyFileSystem();
  ~FaultyFileSystem() override;

  absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(
      absl::string_view path) override;
  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForWrite(
      absl::string_view path, OpenMode mode) override;
  absl::StatusOr<std::vector<std::string>> List(
      absl::string_view directory) override;
  absl::StatusOr<FileInfo> Stat(absl::string_view path) override;
  absl::StatusOr<std::string> RealPath(absl::string_view path) override;
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
  absl::StatusOr<std::unique_ptr<FileLock>> Lock(
      absl::string_view path) override;

  // What is written or touched from now on is that old.
  void SetNow(absl::Time now);

  // Loses power and comes back: open files and locks are dead, unsynced state
  // survives as said above. Injected failures are forgotten.
  void Crash(uint64_t seed);
  void Crash(Survival survival, uint64_t seed);

  // The next `op` fails with `status` and does nothing; several calls queue up.
  // A failed kSync also drops the unsynced bytes of its file, as Linux may.
  void FailNext(FileOp op, absl::Status status);

  // Every `op` fails from now on, until ClearFailures().
  void FailAlways(FileOp op, absl::Status status);
  void ClearFailures();

  // Leaves so many bytes of room from now on, until ClearFailures(): what does
  // not fit fails with RESOURCE_EXHAUSTED, after writing the part that does.
  // Bytes of files count, and new files; removing or cutting files makes room.
  void SetRoom(uint64_t bytes);

  // After `changes` more changing operations (open for write, append,
  // reserve, sync, truncate, names, directories) everything fails with
  // UNAVAILABLE until Crash(): a loop over 0, 1, 2, ... cuts a scripted run at
  // every step. The first operation that fails is in flight: the crash decides
  // how much of it happened (of a sync: nothing).
  void StopAfter(int changes);

  // True from the operation that reached the stop until Crash().
  bool stopped() const;

  // Changing operations so far.
  int changes() const;

  // Changes bytes in place on both states, as a rotting disk does.
  // REQUIRES: the file exists and holds the byte.
  void FlipByte(absl::string_view path, uint64_t offset);

 private:
  std::shared_ptr<FaultyFileSystemState> state_;
};

}  // namespace kinora

#endif  // KINORA_COMMON_TESTING_FAULTY_FILE_SYSTEM_H_

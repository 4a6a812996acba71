// A FileSystem is the only door to the disk. Production code uses
// PosixFileSystem(); tests use FaultyFileSystem
// (common/testing/faulty_file_system.h), which loses what was not synced.
//
// Durability, in the terms the callers rely on: bytes are on stable storage
// when WritableFile::Sync() has returned OK; a name (created, renamed, linked,
// removed) is when SyncDirectory() of its directory has. Anything else may be
// gone, partly gone or torn after a crash.
//
// Every error names the path and carries the system's text. Codes: NOT_FOUND
// (ENOENT), ALREADY_EXISTS (EEXIST, ENOTEMPTY), PERMISSION_DENIED (EACCES,
// EPERM, EROFS), RESOURCE_EXHAUSTED (ENOSPC, EDQUOT, EMFILE, ENFILE), DATA_LOSS
// (EIO), FAILED_PRECONDITION (ENOTDIR, EISDIR, ELOOP), INVALID_ARGUMENT
// (EINVAL, ENAMETOOLONG, a path with a NUL byte), UNAVAILABLE (EBUSY, EAGAIN),
// else INTERNAL. Of EIO and EROFS, which are about the disk and not about one
// file, more is told: IsDiskFailure(), IsReadOnlyVolume().

#ifndef KINORA_COMMON_FILES_FILE_SYSTEM_H_
#define KINORA_COMMON_FILES_FILE_SYSTEM_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace kinora {

// What a call answers that the disk could not carry out (EIO): DATA_LOSS. It
// says nothing about the bytes, which may be there another time.
absl::Status DiskFailure(absl::string_view message);
bool IsDiskFailure(const absl::Status& status);

// What a change answers on a volume that takes none (EROFS), such as one that
// the system has remounted after an error: PERMISSION_DENIED.
absl::Status ReadOnlyVolume(absl::string_view message);
bool IsReadOnlyVolume(const absl::Status& status);

// A WritableFile is an open file that grows at its end. Not thread-safe; Sync()
// alone may run while another thread appends, and covers what was appended
// before it began. Destroying it closes it without a sync.
class WritableFile {
 public:
  virtual ~WritableFile() = default;

  // Writes all of `bytes` at the end. After an error the file may end in any
  // part of them.
  virtual absl::Status Append(absl::string_view bytes) = 0;

  // Makes room on the disk for the next `bytes`, so that a Sync() of what is
  // appended there has no more to write than those bytes. Until then the file
  // ends in zeros, also for Stat() and after a crash. REQUIRES: the file was
  // opened by kCreate or kTruncate.
  virtual absl::Status Reserve(uint64_t bytes) = 0;

  // A hint: much is still to be appended. It goes to the disk as it comes, past
  // the cache of the system if there is a way, so that Sync() has little left
  // to do and neither the memory nor the syncs of others suffer. Holds until
  // Sync() or Close(), which MUST NOT run beside Append() then; what is
  // appended can be read once they have returned.
  virtual void ExpectLarge() {}

  // Waits until everything appended is on stable storage (fdatasync). After an
  // error the kernel may have dropped the bytes: never retry, stop writing.
  virtual absl::Status Sync() = 0;

  // Closes the file; errors of delayed writes surface here. Call it once.
  virtual absl::Status Close() = 0;

  // Bytes in the file, with those it held when it was opened and without those
  // reserved.
  virtual uint64_t Size() const = 0;
};

// A RandomAccessFile is an open file for reading. Thread-safe.
class RandomAccessFile {
 public:
  virtual ~RandomAccessFile() = default;

  // Reads up to out.size() bytes from `offset` on and returns how many; fewer
  // only at the end of the file, 0 beyond it.
  virtual absl::StatusOr<size_t> ReadAt(uint64_t offset,
                                        absl::Span<char> out) const = 0;

  // Bytes in the file now.
  virtual absl::StatusOr<uint64_t> Size() const = 0;
};

// A FileLock is held until it is destroyed, or the process dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

struct FileInfo {
  uint64_t size_bytes = 0;
  bool is_directory = false;
  // Neither a regular file nor a directory: a FIFO, a socket or a device.
  bool is_special = false;
  // The path itself is a symbolic link; all else is of what it leads to.
  bool is_link = false;
  absl::Time modify_time;
};

enum class OpenMode {
  kCreate,    // a new file; ALREADY_EXISTS if the name is taken
  kTruncate,  // a new file, or the old one emptied
  kAppend,    // a new file, or the end of the old one
};

// A VolumeSync makes many files durable together, far cheaper than to sync
// each.
class VolumeSync {
 public:
  virtual ~VolumeSync() = default;

  // Waits until all bytes and names of the volume, also those of closed files,
  // are on stable storage. OK only if nothing written since this was opened
  // failed to get there. After an error nobody can tell what did: never retry,
  // stop writing.
  virtual absl::Status Sync() = 0;
};

// Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // Opens a regular file. FAILED_PRECONDITION for anything else, at once also
  // for a FIFO that nobody writes to.
  virtual absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(
      absl::string_view path) = 0;
  virtual absl::StatusOr<std::unique_ptr<WritableFile>> OpenForWrite(
      absl::string_view path, OpenMode mode) = 0;

  // The names in a directory, without "." and "..", sorted.
  virtual absl::StatusOr<std::vector<std::string>> List(
      absl::string_view directory) = 0;

  virtual absl::StatusOr<FileInfo> Stat(absl::string_view path) = 0;

  // The absolute path of what `path` leads to, all links in it followed.
  // NOT_FOUND if that is nothing.
  virtual absl::StatusOr<std::string> RealPath(absl::string_view path) = 0;

  // Makes a directory and those above it, as far as they are missing, and syncs
  // the parent of each one made. OK if it is there already.
  virtual absl::Status CreateDirectories(absl::string_view directory) = 0;

  // Makes one directory; OK if it is there. Its name is on stable storage after
  // SyncDirectory() of its parent: for many together cheaper than the above.
  virtual absl::Status CreateDirectory(absl::string_view directory) = 0;

  // Gives a file another name in one step, replacing a file of that name.
  // UNIMPLEMENTED if the two names are on different volumes.
  virtual absl::Status Rename(absl::string_view from, absl::string_view to) = 0;

  // As Rename(), but ALREADY_EXISTS, and `from` left in place, if there is a
  // file called `to`. Of several callers at once exactly one wins. A crash may
  // leave the file with both names.
  virtual absl::Status RenameIfAbsent(absl::string_view from,
                                      absl::string_view to) = 0;

  // Removes a file or an empty directory.
  virtual absl::Status Remove(absl::string_view path) = 0;

  // Cuts (or pads with zeros) a file to `size_bytes`, and syncs it.
  virtual absl::Status Truncate(absl::string_view path,
                                uint64_t size_bytes) = 0;

  // Makes now the modify_time of a file. Nothing waits for stable storage:
  // after a crash the file may be as old as it was.
  virtual absl::Status Touch(absl::string_view path) = 0;

  // Waits until the names in `directory` are on stable storage.
  virtual absl::Status SyncDirectory(absl::string_view directory) = 0;

  // The volume that holds `directory`, which there must be. UNIMPLEMENTED where
  // VolumeSync's promise cannot be kept.
  virtual absl::StatusOr<std::unique_ptr<VolumeSync>> OpenVolume(
      absl::string_view directory) = 0;

  // Locks the file `path`, made if absent, against every other Lock() of it in
  // this process or another, and writes this process's id into it.
  // FAILED_PRECONDITION naming the holder's process id if it is locked.
  virtual absl::StatusOr<std::unique_ptr<FileLock>> Lock(
      absl::string_view path) = 0;
};

// The disk. Lives as long as the process.
FileSystem& PosixFileSystem();

// True if there is something called `path`. Errors as of Stat(), but NOT_FOUND.
absl::StatusOr<bool> Exists(FileSystem& fs, absl::string_view path);

// The whole file. RESOURCE_EXHAUSTED if it is larger than `max_bytes`.
absl::StatusOr<std::string> ReadFile(
    FileSystem& fs, absl::string_view path,
    uint64_t max_bytes = std::numeric_limits<uint64_t>::max());

// Up to `length` bytes from `offset` on; fewer only at the end of the file.
absl::StatusOr<std::string> ReadFileRange(FileSystem& fs,
                                          absl::string_view path,
                                          uint64_t offset, uint64_t length);

// A name beside `path`, "<path>.<pid>.<n>.tmp", that no other call of this or
// another live process uses.
std::string TemporaryPath(absl::string_view path);

// Replaces or makes the file `path` such that it always holds either the old or
// all of the new bytes, and the new ones surely once this returns OK: a file of
// TemporaryPath() is written, synced and renamed, and the directory synced. A
// crash may leave that file behind; an error removes it.
absl::Status WriteFileAtomically(FileSystem& fs, absl::string_view path,
                                 absl::string_view bytes);

// As WriteFileAtomically(), but ALREADY_EXISTS if the file is there.
absl::Status CreateFileAtomically(FileSystem& fs, absl::string_view path,
                                  absl::string_view bytes);

// Removes `path` and everything below it, but nothing a symbolic link leads to.
// OK if there is nothing.
absl::Status RemoveTree(FileSystem& fs, absl::string_view path);

// "a/b" for ("a", "b"); the first part may end in a slash.
std::string JoinPath(absl::string_view directory, absl::string_view name);

// What is before the last slash: "a" of "a/b", "/" of "/a", "." of "a".
absl::string_view ParentPath(absl::string_view path);

}  // namespace kinora

#endif  // KINORA_COMMON_FILES_FILE_SYSTEM_H_

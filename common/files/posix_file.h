// Open files of the operating system, for PosixFileSystem() alone.

#ifndef KINORA_COMMON_FILES_POSIX_FILE_H_
#define KINORA_COMMON_FILES_POSIX_FILE_H_

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"

namespace kinora {

// The status for errno after the failed call `what` on `path`.
absl::Status FailedCall(absl::string_view what, absl::string_view path);

// The system would take a path only up to a NUL byte, and so mean another file.
absl::Status CheckPath(absl::string_view path);

// Calls again for as long as a signal comes in between.
template <typename Call>
auto Retried(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

// Closes the file at its end.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.Release()) {}
  FileDescriptor& operator=(FileDescriptor&&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }

  int get() const { return fd_; }
  int Release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_;
};

// Opens with O_CLOEXEC: a child process that kept the descriptor of a lock
// would keep the lock.
absl::StatusOr<FileDescriptor> OpenDescriptor(absl::string_view path,
                                              int flags);

absl::StatusOr<struct stat> StatOf(const FileDescriptor& fd,
                                   absl::string_view path);

// `path` is for errors. Of a file that is open for writing, and has so many
// bytes.
std::unique_ptr<WritableFile> MakePosixWritableFile(FileDescriptor fd,
                                                    absl::string_view path,
                                                    uint64_t size_bytes);

std::unique_ptr<RandomAccessFile> MakePosixRandomAccessFile(
    FileDescriptor fd, absl::string_view path);

// UNIMPLEMENTED where a volume cannot be synced as a whole.
absl::StatusOr<std::unique_ptr<VolumeSync>> MakePosixVolumeSync(
    FileDescriptor fd, absl::string_view directory);

}  // namespace kinora

#endif  // KINORA_COMMON_FILES_POSIX_FILE_H_

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "common/files/file_system.h"
#include "common/files/posix_file.h"
#include "common/status.h"

namespace kinora {
namespace {

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(FileDescriptor fd) : fd_(std::move(fd)) {}

 private:
  const FileDescriptor fd_;  // closing it releases the lock
};

class DiskFileSystem final : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(
      absl::string_view path) override {
    KINORA_ASSIGN_OR_RETURN(FileDescriptor fd,
                            OpenDescriptor(path, O_RDONLY | O_NONBLOCK));
    KINORA_ASSIGN_OR_RETURN(const struct stat info, StatOf(fd, path));
    if (S_ISDIR(info.st_mode)) {
      errno = EISDIR;
      return FailedCall("open", path);
    }
    if (!S_ISREG(info.st_mode)) {
      return absl::FailedPreconditionError(
          absl::StrCat("open \"", path, "\": Not a regular file"));
    }
    return MakePosixRandomAccessFile(std::move(fd), path);
  }

  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForWrite(
      absl::string_view path, OpenMode mode) override {
    int flags = O_WRONLY | O_CREAT;
    if (mode == OpenMode::kAppend) flags |= O_APPEND;
    if (mode == OpenMode::kCreate) flags |= O_EXCL;
    if (mode == OpenMode::kTruncate) flags |= O_TRUNC;
    KINORA_ASSIGN_OR_RETURN(FileDescriptor fd, OpenDescriptor(path, flags));
    KINORA_ASSIGN_OR_RETURN(const struct stat info, StatOf(fd, path));
    return MakePosixWritableFile(std::move(fd), path,
                                 static_cast<uint64_t>(info.st_size));
  }

  absl::StatusOr<std::vector<std::string>> List(
      absl::string_view directory) override {
    KINORA_ASSIGN_OR_RETURN(FileDescriptor fd,
                            OpenDescriptor(directory, O_RDONLY | O_DIRECTORY));
    DIR* const stream = fdopendir(fd.get());
    if (stream == nullptr) return FailedCall("list", directory);
    fd.Release();  // closedir() closes it
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(stream)) {
      const absl::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    const absl::Status status =
        errno == 0 ? absl::OkStatus() : FailedCall("list", directory);
    closedir(stream);
    KINORA_RETURN_IF_ERROR(status);
    std::sort(names.begin(), names.end());
    return names;
  }

  absl::StatusOr<FileInfo> Stat(absl::string_view path) override {
    KINORA_RETURN_IF_ERROR(CheckPath(path));
    const std::string name(path);
    struct stat info;
    if (lstat(name.c_str(), &info) != 0) return FailedCall("stat", path);
    const bool is_link = S_ISLNK(info.st_mode);
    if (is_link && stat(name.c_str(), &info) != 0) {
      return FailedCall("stat", path);
    }
    return FileInfo{
        .size_bytes = static_cast<uint64_t>(info.st_size),
        .is_directory = S_ISDIR(info.st_mode),
        .is_special = !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode),
        .is_link = is_link,
        .modify_time = absl::TimeFromTimespec(info.st_mtim)};
  }

  absl::StatusOr<std::string> RealPath(absl::string_view path) override {
    KINORA_RETURN_IF_ERROR(CheckPath(path));
    const std::unique_ptr<char, decltype(&std::free)> real(
        realpath(std::string(path).c_str(), nullptr), &std::free);
    if (real == nullptr) return FailedCall("resolve", path);
    return std::string(real.get());
  }

  absl::Status CreateDirectories(absl::string_view directory) override {
    KINORA_RETURN_IF_ERROR(CheckPath(directory));
    const absl::StatusOr<FileInfo> info = Stat(directory);
    if (info.ok() && info->is_directory) return absl::OkStatus();
    if (info.ok()) {
      errno = ENOTDIR;
      return FailedCall("make directory", directory);
    }
    if (!absl::IsNotFound(info.status())) return info.status();
    const absl::string_view parent = ParentPath(directory);
    if (parent != directory) KINORA_RETURN_IF_ERROR(CreateDirectories(parent));
    // Somebody else may make it at the same moment.
    if (mkdir(std::string(directory).c_str(), 0777) != 0 && errno != EEXIST) {
      return FailedCall("make directory", directory);
    }
    return SyncDirectory(parent);
  }

  absl::Status CreateDirectory(absl::string_view directory) override {
    KINORA_RETURN_IF_ERROR(CheckPath(directory));
    if (mkdir(std::string(directory).c_str(), 0777) == 0) {
      return absl::OkStatus();
    }
    if (errno != EEXIST) return FailedCall("make directory", directory);
    KINORA_ASSIGN_OR_RETURN(const FileInfo info, Stat(directory));
    if (info.is_directory) return absl::OkStatus();
    errno = ENOTDIR;
    return FailedCall("make directory", directory);
  }

  absl::Status Rename(absl::string_view from, absl::string_view to) override {
    KINORA_RETURN_IF_ERROR(CheckPath(from));
    KINORA_RETURN_IF_ERROR(CheckPath(to));
    if (rename(std::string(from).c_str(), std::string(to).c_str()) != 0) {
      return FailedCall("rename", BothPaths(from, to));
    }
    return absl::OkStatus();
  }

  absl::Status RenameIfAbsent(absl::string_view from,
                              absl::string_view to) override {
    KINORA_RETURN_IF_ERROR(CheckPath(from));
    KINORA_RETURN_IF_ERROR(CheckPath(to));
    // link() and not renameat2(RENAME_NOREPLACE), which some file systems lack.
    if (link(std::string(from).c_str(), std::string(to).c_str()) != 0) {
      return FailedCall("link", BothPaths(from, to));
    }
    return Remove(from);
  }

  absl::Status Remove(absl::string_view path) override {
    KINORA_RETURN_IF_ERROR(CheckPath(path));
    if (remove(std::string(path).c_str()) != 0) {
      return FailedCall("remove", path);
    }
    return absl::OkStatus();
  }

  absl::Status Truncate(absl::string_view path, uint64_t size_bytes) override {
    KINORA_ASSIGN_OR_RETURN(FileDescriptor fd, OpenDescriptor(path, O_WRONLY));
    if (Retried([&] {
          return ftruncate(fd.get(), static_cast<off_t>(size_bytes));
        }) != 0) {
      return FailedCall("truncate", path);
    }
    if (Retried([&] { return fdatasync(fd.get()); }) != 0) {
      return FailedCall("sync", path);
    }
    return absl::OkStatus();
  }

  absl::Status Touch(absl::string_view path) override {
    KINORA_RETURN_IF_ERROR(CheckPath(path));
    if (utimensat(AT_FDCWD, std::string(path).c_str(), nullptr, 0) != 0) {
      return FailedCall("touch", path);
    }
    return absl::OkStatus();
  }

  absl::Status SyncDirectory(absl::string_view directory) override {
    KINORA_ASSIGN_OR_RETURN(FileDescriptor fd,
                            OpenDescriptor(directory, O_RDONLY | O_DIRECTORY));
    if (Retried([&] { return fsync(fd.get()); }) != 0) {
      return FailedCall("sync directory", directory);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<VolumeSync>> OpenVolume(
      absl::string_view directory) override {
    KINORA_ASSIGN_OR_RETURN(FileDescriptor fd,
                            OpenDescriptor(directory, O_RDONLY | O_DIRECTORY));
    return MakePosixVolumeSync(std::move(fd), directory);
  }

  absl::StatusOr<std::unique_ptr<FileLock>> Lock(
      absl::string_view path) override {
    KINORA_ASSIGN_OR_RETURN(FileDescriptor fd,
                            OpenDescriptor(path, O_RDWR | O_CREAT));
    // Of the open file, not of the process as fcntl()'s: two stores in one
    // process keep each other out, too.
    if (Retried([&] { return flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno != EWOULDBLOCK) return FailedCall("lock", path);
      return absl::FailedPreconditionError(
          absl::StrCat("lock \"", path, "\": held by process ", HolderOf(fd)));
    }
    KINORA_RETURN_IF_ERROR(WriteHolder(fd, path));
    return std::make_unique<PosixFileLock>(std::move(fd));
  }

 private:
  static std::string BothPaths(absl::string_view from, absl::string_view to) {
    return absl::StrCat(from, "\" to \"", to);
  }

  // The id is only to be told to people: on a full volume the lock holds
  // without it. Written before the file is cut, which would give its room away.
  static absl::Status WriteHolder(const FileDescriptor& fd,
                                  absl::string_view path) {
    const std::string pid = absl::StrCat(getpid(), "\n");
    const ssize_t wrote = pwrite(fd.get(), pid.data(), pid.size(), 0);
    if (wrote < 0 && errno != ENOSPC && errno != EDQUOT) {
      return FailedCall("write", path);
    }
    const bool whole = wrote == static_cast<ssize_t>(pid.size());
    if (ftruncate(fd.get(), whole ? wrote : 0) != 0) {
      return FailedCall("truncate", path);
    }
    return absl::OkStatus();
  }

  static std::string HolderOf(const FileDescriptor& fd) {
    char pid[24];
    const ssize_t got = pread(fd.get(), pid, sizeof(pid), 0);
    // Empty for the moment between the lock and the write.
    if (got <= 0) return "unknown";
    return std::string(absl::StripAsciiWhitespace(
        absl::string_view(pid, static_cast<size_t>(got))));
  }
};

}  // namespace

FileSystem& PosixFileSystem() {
  static DiskFileSystem* const file_system = new DiskFileSystem;
  return *file_system;
}

}  // namespace kinora

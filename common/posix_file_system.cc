#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "common/file_system.h"
#include "common/status.h"

namespace kinora {
namespace {

absl::StatusCode CodeOf(int error) {
  switch (error) {
    case ENOENT:
      return absl::StatusCode::kNotFound;
    case EEXIST:
    case ENOTEMPTY:
      return absl::StatusCode::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::StatusCode::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
      return absl::StatusCode::kResourceExhausted;
    case EIO:
      return absl::StatusCode::kDataLoss;
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
      return absl::StatusCode::kFailedPrecondition;
    case EINVAL:
    case ENAMETOOLONG:
      return absl::StatusCode::kInvalidArgument;
    case EBUSY:
    case EAGAIN:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kInternal;
  }
}

// The status for errno after the failed call `what` on `path`.
absl::Status Failed(absl::string_view what, absl::string_view path) {
  const int error = errno;
  return absl::Status(CodeOf(error),
                      absl::StrCat(what, " \"", path, "\": ",
                                   std::generic_category().message(error)));
}

// The system would take a path only up to a NUL byte, and so mean another file.
absl::Status CheckPath(absl::string_view path) {
  if (!path.empty() && path.find('\0') == absl::string_view::npos) {
    return absl::OkStatus();
  }
  return InvalidField("path", path, "must hold bytes, and no NUL");
}

template <typename Call>
auto Retried(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

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
absl::StatusOr<FileDescriptor> Open(absl::string_view path, int flags) {
  KINORA_RETURN_IF_ERROR(CheckPath(path));
  const std::string name(path);
  const int fd =
      Retried([&] { return open(name.c_str(), flags | O_CLOEXEC, 0666); });
  if (fd < 0) return Failed("open", path);
  return FileDescriptor(fd);
}

absl::StatusOr<struct stat> StatOf(const FileDescriptor& fd,
                                   absl::string_view path) {
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return Failed("stat", path);
  return info;
}

class PosixWritableFile final : public WritableFile {
 public:
  PosixWritableFile(FileDescriptor fd, absl::string_view path, uint64_t size)
      : fd_(std::move(fd)), path_(path), size_(size) {}

  absl::Status Append(absl::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t wrote =
          Retried([&] { return write(fd_.get(), bytes.data(), bytes.size()); });
      if (wrote < 0) return Failed("write", path_);
      bytes.remove_prefix(static_cast<size_t>(wrote));
      size_ += static_cast<uint64_t>(wrote);
    }
    return absl::OkStatus();
  }

  // Zeros are written, not only promised: only then a sync of what takes their
  // place leaves the file's metadata alone.
  absl::Status Reserve(uint64_t bytes) override {
    static constexpr char kZeros[1 << 16] = {};
    const uint64_t end = size_ + bytes;
    uint64_t at = std::max(size_, reserved_end_);
    while (at < end) {
      const ssize_t wrote = Retried([&] {
        return pwrite(fd_.get(), kZeros,
                      std::min<uint64_t>(end - at, sizeof(kZeros)),
                      static_cast<off_t>(at));
      });
      if (wrote < 0) return Failed("write", path_);
      at += static_cast<uint64_t>(wrote);
    }
    reserved_end_ = at;
    return absl::OkStatus();
  }

  void StartSync() override {
    // Only a hint: what goes wrong is for Sync() to find out.
    sync_file_range(fd_.get(), static_cast<off_t>(started_),
                    static_cast<off_t>(size_ - started_),
                    SYNC_FILE_RANGE_WRITE);
    started_ = size_;
  }

  absl::Status Sync() override {
    if (Retried([&] { return fdatasync(fd_.get()); }) != 0) {
      return Failed("sync", path_);
    }
    return absl::OkStatus();
  }

  absl::Status Close() override {
    // Never tried again: Linux frees the descriptor also when it reports EINTR.
    if (close(fd_.Release()) != 0 && errno != EINTR) {
      return Failed("close", path_);
    }
    return absl::OkStatus();
  }

  uint64_t Size() const override { return size_; }

 private:
  FileDescriptor fd_;
  const std::string path_;
  uint64_t size_;
  uint64_t reserved_end_ = 0;
  uint64_t started_ = 0;  // StartSync() covered the bytes before
};

// Since Linux 5.8 syncfs() tells of every writeback that failed after its
// descriptor was opened. Only file systems for which that is known to hold
// count: through an overlay or a network nobody knows what it covers.
bool SyncfsTellsErrors(decltype(statfs::f_type) type) {
  utsname kernel;
  int major = 0, minor = 0;
  if (uname(&kernel) != 0 ||
      std::sscanf(kernel.release, "%d.%d", &major, &minor) != 2 ||
      std::make_pair(major, minor) < std::make_pair(5, 8)) {
    return false;
  }
  return type == EXT4_SUPER_MAGIC || type == XFS_SUPER_MAGIC ||
         type == BTRFS_SUPER_MAGIC || type == TMPFS_MAGIC;
}

class PosixVolumeSync final : public VolumeSync {
 public:
  PosixVolumeSync(FileDescriptor fd, absl::string_view directory)
      : fd_(std::move(fd)), directory_(directory) {}

  absl::Status Sync() override {
    if (syncfs(fd_.get()) != 0) return Failed("sync volume of", directory_);
    return absl::OkStatus();
  }

 private:
  const FileDescriptor fd_;
  const std::string directory_;
};

class PosixRandomAccessFile final : public RandomAccessFile {
 public:
  PosixRandomAccessFile(FileDescriptor fd, absl::string_view path)
      : fd_(std::move(fd)), path_(path) {}

  absl::StatusOr<size_t> ReadAt(uint64_t offset,
                                absl::Span<char> out) const override {
    size_t done = 0;
    while (done < out.size()) {
      const ssize_t got = Retried([&] {
        return pread(fd_.get(), out.data() + done, out.size() - done,
                     static_cast<off_t>(offset + done));
      });
      if (got < 0) return Failed("read", path_);
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return done;
  }

  absl::StatusOr<uint64_t> Size() const override {
    KINORA_ASSIGN_OR_RETURN(const struct stat info, StatOf(fd_, path_));
    return static_cast<uint64_t>(info.st_size);
  }

 private:
  const FileDescriptor fd_;
  const std::string path_;
};

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
                            Open(path, O_RDONLY | O_NONBLOCK));
    KINORA_ASSIGN_OR_RETURN(const struct stat info, StatOf(fd, path));
    if (S_ISDIR(info.st_mode)) {
      errno = EISDIR;
      return Failed("open", path);
    }
    if (!S_ISREG(info.st_mode)) {
      return absl::FailedPreconditionError(
          absl::StrCat("open \"", path, "\": Not a regular file"));
    }
    return std::make_unique<PosixRandomAccessFile>(std::move(fd), path);
  }

  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForWrite(
      absl::string_view path, OpenMode mode) override {
    int flags = O_WRONLY | O_CREAT;
    if (mode == OpenMode::kAppend) flags |= O_APPEND;
    if (mode == OpenMode::kCreate) flags |= O_EXCL;
    if (mode == OpenMode::kTruncate) flags |= O_TRUNC;
    KINORA_ASSIGN_OR_RETURN(FileDescriptor fd, Open(path, flags));
    KINORA_ASSIGN_OR_RETURN(const struct stat info, StatOf(fd, path));
    return std::make_unique<PosixWritableFile>(
        std::move(fd), path, static_cast<uint64_t>(info.st_size));
  }

  absl::StatusOr<std::vector<std::string>> List(
      absl::string_view directory) override {
    KINORA_ASSIGN_OR_RETURN(FileDescriptor fd,
                            Open(directory, O_RDONLY | O_DIRECTORY));
    DIR* const stream = fdopendir(fd.get());
    if (stream == nullptr) return Failed("list", directory);
    fd.Release();  // closedir() closes it
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(stream)) {
      const absl::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    const absl::Status status =
        errno == 0 ? absl::OkStatus() : Failed("list", directory);
    closedir(stream);
    KINORA_RETURN_IF_ERROR(status);
    std::sort(names.begin(), names.end());
    return names;
  }

  absl::StatusOr<FileInfo> Stat(absl::string_view path) override {
    KINORA_RETURN_IF_ERROR(CheckPath(path));
    const std::string name(path);
    struct stat info;
    if (lstat(name.c_str(), &info) != 0) return Failed("stat", path);
    const bool is_link = S_ISLNK(info.st_mode);
    if (is_link && stat(name.c_str(), &info) != 0) return Failed("stat", path);
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
    if (real == nullptr) return Failed("resolve", path);
    return std::string(real.get());
  }

  absl::Status CreateDirectories(absl::string_view directory) override {
    KINORA_RETURN_IF_ERROR(CheckPath(directory));
    const absl::StatusOr<FileInfo> info = Stat(directory);
    if (info.ok() && info->is_directory) return absl::OkStatus();
    if (info.ok()) {
      errno = ENOTDIR;
      return Failed("make directory", directory);
    }
    if (!absl::IsNotFound(info.status())) return info.status();
    const absl::string_view parent = ParentPath(directory);
    if (parent != directory) KINORA_RETURN_IF_ERROR(CreateDirectories(parent));
    // Somebody else may make it at the same moment.
    if (mkdir(std::string(directory).c_str(), 0777) != 0 && errno != EEXIST) {
      return Failed("make directory", directory);
    }
    return SyncDirectory(parent);
  }

  absl::Status CreateDirectory(absl::string_view directory) override {
    KINORA_RETURN_IF_ERROR(CheckPath(directory));
    if (mkdir(std::string(directory).c_str(), 0777) == 0) {
      return absl::OkStatus();
    }
    if (errno != EEXIST) return Failed("make directory", directory);
    KINORA_ASSIGN_OR_RETURN(const FileInfo info, Stat(directory));
    if (info.is_directory) return absl::OkStatus();
    errno = ENOTDIR;
    return Failed("make directory", directory);
  }

  absl::Status Rename(absl::string_view from, absl::string_view to) override {
    KINORA_RETURN_IF_ERROR(CheckPath(from));
    KINORA_RETURN_IF_ERROR(CheckPath(to));
    if (rename(std::string(from).c_str(), std::string(to).c_str()) != 0) {
      return Failed("rename", BothPaths(from, to));
    }
    return absl::OkStatus();
  }

  absl::Status RenameIfAbsent(absl::string_view from,
                              absl::string_view to) override {
    KINORA_RETURN_IF_ERROR(CheckPath(from));
    KINORA_RETURN_IF_ERROR(CheckPath(to));
    // link() and not renameat2(RENAME_NOREPLACE), which some file systems lack.
    if (link(std::string(from).c_str(), std::string(to).c_str()) != 0) {
      return Failed("link", BothPaths(from, to));
    }
    return Remove(from);
  }

  absl::Status Remove(absl::string_view path) override {
    KINORA_RETURN_IF_ERROR(CheckPath(path));
    if (remove(std::string(path).c_str()) != 0) return Failed("remove", path);
    return absl::OkStatus();
  }

  absl::Status Truncate(absl::string_view path, uint64_t size_bytes) override {
    KINORA_ASSIGN_OR_RETURN(FileDescriptor fd, Open(path, O_WRONLY));
    if (Retried([&] {
          return ftruncate(fd.get(), static_cast<off_t>(size_bytes));
        }) != 0) {
      return Failed("truncate", path);
    }
    if (Retried([&] { return fdatasync(fd.get()); }) != 0) {
      return Failed("sync", path);
    }
    return absl::OkStatus();
  }

  absl::Status Touch(absl::string_view path) override {
    KINORA_RETURN_IF_ERROR(CheckPath(path));
    if (utimensat(AT_FDCWD, std::string(path).c_str(), nullptr, 0) != 0) {
      return Failed("touch", path);
    }
    return absl::OkStatus();
  }

  absl::Status SyncDirectory(absl::string_view directory) override {
    KINORA_ASSIGN_OR_RETURN(FileDescriptor fd,
                            Open(directory, O_RDONLY | O_DIRECTORY));
    if (Retried([&] { return fsync(fd.get()); }) != 0) {
      return Failed("sync directory", directory);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<VolumeSync>> OpenVolume(
      absl::string_view directory) override {
    KINORA_ASSIGN_OR_RETURN(FileDescriptor fd,
                            Open(directory, O_RDONLY | O_DIRECTORY));
    struct statfs volume;
    if (fstatfs(fd.get(), &volume) != 0) return Failed("stat", directory);
    if (!SyncfsTellsErrors(volume.f_type)) {
      return absl::UnimplementedError(absl::StrCat(
          "volume of \"", directory, "\": cannot be synced as a whole"));
    }
    return std::make_unique<PosixVolumeSync>(std::move(fd), directory);
  }

  absl::StatusOr<std::unique_ptr<FileLock>> Lock(
      absl::string_view path) override {
    KINORA_ASSIGN_OR_RETURN(FileDescriptor fd, Open(path, O_RDWR | O_CREAT));
    // Of the open file, not of the process as fcntl()'s: two stores in one
    // process keep each other out, too.
    if (Retried([&] { return flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno != EWOULDBLOCK) return Failed("lock", path);
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
      return Failed("write", path);
    }
    const bool whole = wrote == static_cast<ssize_t>(pid.size());
    if (ftruncate(fd.get(), whole ? wrote : 0) != 0) {
      return Failed("truncate", path);
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

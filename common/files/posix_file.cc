#include "common/files/posix_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/files/direct_writer.h"
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
      return absl::StatusCode::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
      return absl::StatusCode::kResourceExhausted;
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
    case EXDEV:
      return absl::StatusCode::kUnimplemented;
    default:
      return absl::StatusCode::kInternal;
  }
}

class PosixWritableFile final : public WritableFile {
 public:
  PosixWritableFile(FileDescriptor fd, absl::string_view path, uint64_t size)
      : fd_(std::move(fd)), path_(path), size_(size) {}

  absl::Status Append(absl::string_view bytes) override {
    if (is_large_) {
      // The first block that goes past the cache begins at its bound.
      const uint64_t over = size_ % DirectWriter::kBlockBytes;
      const uint64_t head = over == 0 ? 0 : DirectWriter::kBlockBytes - over;
      if (bytes.size() > head) {
        KINORA_RETURN_IF_ERROR(Write(bytes.substr(0, head)));
        bytes.remove_prefix(head);
        direct_ = DirectWriter::Begin(fd_.get(), path_);
        is_large_ = false;
      }
    }
    if (direct_ == nullptr) return Write(bytes);
    size_ += bytes.size();
    return direct_->Append(bytes);
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
      if (wrote < 0) return FailedCall("write", path_);
      at += static_cast<uint64_t>(wrote);
    }
    reserved_end_ = at;
    return absl::OkStatus();
  }

  void ExpectLarge() override {
    if (!asked_) is_large_ = asked_ = true;
  }

  absl::Status Sync() override {
    KINORA_RETURN_IF_ERROR(EndDirect());
    if (Retried([&] { return fdatasync(fd_.get()); }) != 0) {
      return FailedCall("sync", path_);
    }
    return absl::OkStatus();
  }

  absl::Status Close() override {
    KINORA_RETURN_IF_ERROR(EndDirect());
    // Never tried again: Linux frees the descriptor also when it reports EINTR.
    if (close(fd_.Release()) != 0 && errno != EINTR) {
      return FailedCall("close", path_);
    }
    return absl::OkStatus();
  }

  uint64_t Size() const override { return size_; }

 private:
  absl::Status Write(absl::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t wrote =
          Retried([&] { return write(fd_.get(), bytes.data(), bytes.size()); });
      if (wrote < 0) return FailedCall("write", path_);
      bytes.remove_prefix(static_cast<size_t>(wrote));
      size_ += static_cast<uint64_t>(wrote);
    }
    return absl::OkStatus();
  }

  absl::Status EndDirect() {
    // Another thread may append then.
    if (!asked_) return absl::OkStatus();
    is_large_ = asked_ = false;
    if (direct_ == nullptr) return absl::OkStatus();
    const std::unique_ptr<DirectWriter> direct = std::move(direct_);
    return direct->Finish();
  }

  FileDescriptor fd_;
  const std::string path_;
  uint64_t size_;
  uint64_t reserved_end_ = 0;
  bool asked_ = false;                    // by ExpectLarge()
  bool is_large_ = false;                 // and nothing was appended since
  std::unique_ptr<DirectWriter> direct_;  // null where there is no such way
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
    if (syncfs(fd_.get()) != 0) return FailedCall("sync volume of", directory_);
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
      if (got < 0) return FailedCall("read", path_);
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

}  // namespace

absl::Status FailedCall(absl::string_view what, absl::string_view path) {
  const int error = errno;
  const std::string message = absl::StrCat(
      what, " \"", path, "\": ", std::generic_category().message(error));
  if (error == EIO) return DiskFailure(message);
  if (error == EROFS) return ReadOnlyVolume(message);
  return absl::Status(CodeOf(error), message);
}

absl::Status CheckPath(absl::string_view path) {
  if (!path.empty() && path.find('\0') == absl::string_view::npos) {
    return absl::OkStatus();
  }
  return InvalidField("path", path, "must hold bytes, and no NUL");
}

absl::StatusOr<FileDescriptor> OpenDescriptor(absl::string_view path,
                                              int flags) {
  KINORA_RETURN_IF_ERROR(CheckPath(path));
  const std::string name(path);
  const int fd =
      Retried([&] { return open(name.c_str(), flags | O_CLOEXEC, 0666); });
  if (fd < 0) return FailedCall("open", path);
  return FileDescriptor(fd);
}

absl::StatusOr<struct stat> StatOf(const FileDescriptor& fd,
                                   absl::string_view path) {
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return FailedCall("stat", path);
  return info;
}

std::unique_ptr<WritableFile> MakePosixWritableFile(FileDescriptor fd,
                                                    absl::string_view path,
                                                    uint64_t size_bytes) {
  return std::make_unique<PosixWritableFile>(std::move(fd), path, size_bytes);
}

std::unique_ptr<RandomAccessFile> MakePosixRandomAccessFile(
    FileDescriptor fd, absl::string_view path) {
  return std::make_unique<PosixRandomAccessFile>(std::move(fd), path);
}

absl::StatusOr<std::unique_ptr<VolumeSync>> MakePosixVolumeSync(
    FileDescriptor fd, absl::string_view directory) {
  struct statfs volume;
  if (fstatfs(fd.get(), &volume) != 0) return FailedCall("stat", directory);
  if (!SyncfsTellsErrors(volume.f_type)) {
    return absl::UnimplementedError(absl::StrCat(
        "volume of \"", directory, "\": cannot be synced as a whole"));
  }
  return std::make_unique<PosixVolumeSync>(std::move(fd), directory);
}

}  // namespace kinora

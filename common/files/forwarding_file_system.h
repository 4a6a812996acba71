// A ForwardingFileSystem is another file system: what decorators derive from to
// change some of what it does, and a ForwardingWritableFile the same of a file.

#ifndef KINORA_COMMON_FILES_FORWARDING_FILE_SYSTEM_H_
#define KINORA_COMMON_FILES_FORWARDING_FILE_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"

namespace kinora {

// As its base in all that is not overridden.
class ForwardingWritableFile : public WritableFile {
 public:
  explicit ForwardingWritableFile(std::unique_ptr<WritableFile> base)
      : base_(std::move(base)) {}

  absl::Status Append(absl::string_view bytes) override {
    return base_->Append(bytes);
  }
  absl::Status Reserve(uint64_t bytes) override {
    return base_->Reserve(bytes);
  }
  void ExpectLarge() override { base_->ExpectLarge(); }
  absl::Status Sync() override { return base_->Sync(); }
  absl::Status Close() override { return base_->Close(); }
  uint64_t Size() const override { return base_->Size(); }

 private:
  const std::unique_ptr<WritableFile> base_;
};

// As thread-safe as its base.
class ForwardingFileSystem : public FileSystem {
 public:
  // `base` MUST outlive this.
  explicit ForwardingFileSystem(FileSystem& base) : base_(base) {}

  absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(
      absl::string_view path) override {
    return base_.OpenForRead(path);
  }
  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForWrite(
      absl::string_view path, OpenMode mode) override {
    return base_.OpenForWrite(path, mode);
  }
  absl::StatusOr<std::vector<std::string>> List(
      absl::string_view directory) override {
    return base_.List(directory);
  }
  absl::StatusOr<FileInfo> Stat(absl::string_view path) override {
    return base_.Stat(path);
  }
  absl::StatusOr<std::string> RealPath(absl::string_view path) override {
    return base_.RealPath(path);
  }
  absl::Status CreateDirectories(absl::string_view directory) override {
    return base_.CreateDirectories(directory);
  }
  absl::Status CreateDirectory(absl::string_view directory) override {
    return base_.CreateDirectory(directory);
  }
  absl::Status Rename(absl::string_view from, absl::string_view to) override {
    return base_.Rename(from, to);
  }
  absl::Status RenameIfAbsent(absl::string_view from,
                              absl::string_view to) override {
    return base_.RenameIfAbsent(from, to);
  }
  absl::Status Remove(absl::string_view path) override {
    return base_.Remove(path);
  }
  absl::Status Truncate(absl::string_view path, uint64_t size_bytes) override {
    return base_.Truncate(path, size_bytes);
  }
  absl::Status Touch(absl::string_view path) override {
    return base_.Touch(path);
  }
  absl::Status SyncDirectory(absl::string_view directory) override {
    return base_.SyncDirectory(directory);
  }
  absl::StatusOr<std::unique_ptr<VolumeSync>> OpenVolume(
      absl::string_view directory) override {
    return base_.OpenVolume(directory);
  }
  absl::StatusOr<std::unique_ptr<FileLock>> Lock(
      absl::string_view path) override {
    return base_.Lock(path);
  }

 private:
  FileSystem& base_;
};

}  // namespace kinora

#endif  // KINORA_COMMON_FILES_FORWARDING_FILE_SYSTEM_H_

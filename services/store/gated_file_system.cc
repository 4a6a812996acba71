#include "services/store/gated_file_system.h"

#include <utility>

namespace kinora {

class GatedFileSystem::File final : public WritableFile {
 public:
  File(GatedFileSystem& fs, std::unique_ptr<WritableFile> base)
      : fs_(fs), base_(std::move(base)) {}

  absl::Status Append(absl::string_view bytes) override {
    return fs_.Changed(base_->Append(bytes));
  }
  absl::Status Reserve(uint64_t bytes) override {
    return fs_.Changed(base_->Reserve(bytes));
  }
  void ExpectLarge() override { base_->ExpectLarge(); }
  absl::Status Sync() override { return fs_.Changed(base_->Sync()); }
  absl::Status Close() override { return fs_.Changed(base_->Close()); }
  uint64_t Size() const override { return base_->Size(); }

 private:
  GatedFileSystem& fs_;
  const std::unique_ptr<WritableFile> base_;
};

absl::StatusOr<std::unique_ptr<RandomAccessFile>> GatedFileSystem::OpenForRead(
    absl::string_view path) {
  return base_.OpenForRead(path);
}

absl::StatusOr<std::unique_ptr<WritableFile>> GatedFileSystem::OpenForWrite(
    absl::string_view path, OpenMode mode) {
  absl::StatusOr<std::unique_ptr<WritableFile>> file =
      base_.OpenForWrite(path, mode);
  if (!file.ok()) return Changed(file.status());
  return std::make_unique<File>(*this, *std::move(file));
}

absl::StatusOr<std::vector<std::string>> GatedFileSystem::List(
    absl::string_view directory) {
  return base_.List(directory);
}

absl::StatusOr<FileInfo> GatedFileSystem::Stat(absl::string_view path) {
  return base_.Stat(path);
}

absl::StatusOr<std::string> GatedFileSystem::RealPath(absl::string_view path) {
  return base_.RealPath(path);
}

absl::Status GatedFileSystem::CreateDirectories(absl::string_view directory) {
  return Changed(base_.CreateDirectories(directory));
}

absl::Status GatedFileSystem::CreateDirectory(absl::string_view directory) {
  return Changed(base_.CreateDirectory(directory));
}

absl::Status GatedFileSystem::Rename(absl::string_view from,
                                     absl::string_view to) {
  return Changed(base_.Rename(from, to));
}

absl::Status GatedFileSystem::RenameIfAbsent(absl::string_view from,
                                             absl::string_view to) {
  return Changed(base_.RenameIfAbsent(from, to));
}

absl::Status GatedFileSystem::Remove(absl::string_view path) {
  return Changed(base_.Remove(path));
}

absl::Status GatedFileSystem::Truncate(absl::string_view path,
                                       uint64_t size_bytes) {
  return Changed(base_.Truncate(path, size_bytes));
}

absl::Status GatedFileSystem::Touch(absl::string_view path) {
  return Changed(base_.Touch(path));
}

absl::Status GatedFileSystem::SyncDirectory(absl::string_view directory) {
  return Changed(base_.SyncDirectory(directory));
}

absl::StatusOr<std::unique_ptr<VolumeSync>> GatedFileSystem::OpenVolume(
    absl::string_view directory) {
  return base_.OpenVolume(directory);
}

absl::StatusOr<std::unique_ptr<FileLock>> GatedFileSystem::Lock(
    absl::string_view path) {
  absl::StatusOr<std::unique_ptr<FileLock>> lock = base_.Lock(path);
  if (!lock.ok()) return Changed(lock.status());
  return lock;
}

}  // namespace kinora

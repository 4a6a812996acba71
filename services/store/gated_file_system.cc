#include "services/store/gated_file_system.h"

#include <utility>

namespace kinora {

class GatedFileSystem::File final : public ForwardingWritableFile {
 public:
  File(GatedFileSystem& fs, std::unique_ptr<WritableFile> base)
      : ForwardingWritableFile(std::move(base)), fs_(fs) {}

  absl::Status Append(absl::string_view bytes) override {
    return fs_.Changed(ForwardingWritableFile::Append(bytes));
  }
  absl::Status Reserve(uint64_t bytes) override {
    return fs_.Changed(ForwardingWritableFile::Reserve(bytes));
  }
  absl::Status Sync() override {
    return fs_.Synced(ForwardingWritableFile::Sync());
  }
  absl::Status Close() override {
    return fs_.Changed(ForwardingWritableFile::Close());
  }

 private:
  GatedFileSystem& fs_;
};

absl::StatusOr<std::unique_ptr<WritableFile>> GatedFileSystem::OpenForWrite(
    absl::string_view path, OpenMode mode) {
  absl::StatusOr<std::unique_ptr<WritableFile>> file =
      ForwardingFileSystem::OpenForWrite(path, mode);
  if (!file.ok()) return Changed(file.status());
  return std::make_unique<File>(*this, *std::move(file));
}

absl::Status GatedFileSystem::CreateDirectories(absl::string_view directory) {
  return Changed(ForwardingFileSystem::CreateDirectories(directory));
}

absl::Status GatedFileSystem::CreateDirectory(absl::string_view directory) {
  return Changed(ForwardingFileSystem::CreateDirectory(directory));
}

absl::Status GatedFileSystem::Rename(absl::string_view from,
                                     absl::string_view to) {
  return Changed(ForwardingFileSystem::Rename(from, to));
}

absl::Status GatedFileSystem::RenameIfAbsent(absl::string_view from,
                                             absl::string_view to) {
  return Changed(ForwardingFileSystem::RenameIfAbsent(from, to));
}

absl::Status GatedFileSystem::Remove(absl::string_view path) {
  return Changed(ForwardingFileSystem::Remove(path));
}

absl::Status GatedFileSystem::Truncate(absl::string_view path,
                                       uint64_t size_bytes) {
  return Changed(ForwardingFileSystem::Truncate(path, size_bytes));
}

absl::Status GatedFileSystem::Touch(absl::string_view path) {
  return Changed(ForwardingFileSystem::Touch(path));
}

absl::Status GatedFileSystem::SyncDirectory(absl::string_view directory) {
  return Changed(ForwardingFileSystem::SyncDirectory(directory));
}

absl::StatusOr<std::unique_ptr<FileLock>> GatedFileSystem::Lock(
    absl::string_view path) {
  absl::StatusOr<std::unique_ptr<FileLock>> lock =
      ForwardingFileSystem::Lock(path);
  if (!lock.ok()) return Changed(lock.status());
  return lock;
}

}  // namespace kinora

#include "common/files/file_system.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/status.h"

namespace kinora {
namespace {

absl::Status WriteAndSync(FileSystem& fs, absl::string_view path,
                          absl::string_view bytes) {
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                          fs.OpenForWrite(path, OpenMode::kTruncate));
  KINORA_RETURN_IF_ERROR(file->Append(bytes));
  KINORA_RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

using Publish = absl::Status (FileSystem::*)(absl::string_view from,
                                             absl::string_view to);

absl::Status WriteThenPublish(FileSystem& fs, absl::string_view path,
                              absl::string_view bytes, Publish publish) {
  const std::string temporary = TemporaryPath(path);
  absl::Cleanup remove = [&] { fs.Remove(temporary).IgnoreError(); };
  KINORA_RETURN_IF_ERROR(WriteAndSync(fs, temporary, bytes));
  KINORA_RETURN_IF_ERROR((fs.*publish)(temporary, path));
  std::move(remove).Cancel();
  return fs.SyncDirectory(ParentPath(path));
}

// Payload url of what an error is about, beside its code.
constexpr absl::string_view kAboutPayload = "kinora/disk";
constexpr absl::string_view kFailure = "failure";
constexpr absl::string_view kReadOnly = "read-only";

absl::Status WithAbout(absl::Status status, absl::string_view about) {
  status.SetPayload(kAboutPayload, absl::Cord(about));
  return status;
}

bool IsAbout(const absl::Status& status, absl::string_view about) {
  return status.GetPayload(kAboutPayload) == absl::Cord(about);
}

// Fills `bytes` from `offset` on and cuts it where the file ends.
absl::Status ReadInto(const RandomAccessFile& file, uint64_t offset,
                      std::string* bytes) {
  KINORA_ASSIGN_OR_RETURN(const size_t got,
                          file.ReadAt(offset, absl::MakeSpan(*bytes)));
  bytes->resize(got);
  return absl::OkStatus();
}

}  // namespace

absl::Status DiskFailure(absl::string_view message) {
  return WithAbout(absl::DataLossError(message), kFailure);
}

bool IsDiskFailure(const absl::Status& status) {
  return IsAbout(status, kFailure);
}

absl::Status ReadOnlyVolume(absl::string_view message) {
  return WithAbout(absl::PermissionDeniedError(message), kReadOnly);
}

bool IsReadOnlyVolume(const absl::Status& status) {
  return IsAbout(status, kReadOnly);
}

std::string TemporaryPath(absl::string_view path) {
  static std::atomic<uint64_t> next = 0;
  return absl::StrCat(path, ".", getpid(), ".", next.fetch_add(1), ".tmp");
}

absl::StatusOr<bool> Exists(FileSystem& fs, absl::string_view path) {
  const absl::Status status = fs.Stat(path).status();
  if (absl::IsNotFound(status)) return false;
  KINORA_RETURN_IF_ERROR(status);
  return true;
}

absl::StatusOr<std::string> ReadFile(FileSystem& fs, absl::string_view path,
                                     uint64_t max_bytes) {
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file,
                          fs.OpenForRead(path));
  KINORA_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  if (size > max_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("read \"", path, "\": ", size,
                     " bytes, more than the limit of ", max_bytes));
  }
  std::string bytes(size, '\0');
  KINORA_RETURN_IF_ERROR(ReadInto(*file, 0, &bytes));
  return bytes;
}

absl::StatusOr<std::string> ReadFileRange(FileSystem& fs,
                                          absl::string_view path,
                                          uint64_t offset, uint64_t length) {
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file,
                          fs.OpenForRead(path));
  // Not more memory than the file has bytes, however large the range.
  KINORA_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  const uint64_t available = size > offset ? size - offset : 0;
  std::string bytes(std::min(length, available), '\0');
  KINORA_RETURN_IF_ERROR(ReadInto(*file, offset, &bytes));
  return bytes;
}

absl::Status WriteFileAtomically(FileSystem& fs, absl::string_view path,
                                 absl::string_view bytes) {
  return WriteThenPublish(fs, path, bytes, &FileSystem::Rename);
}

absl::Status CreateFileAtomically(FileSystem& fs, absl::string_view path,
                                  absl::string_view bytes) {
  return WriteThenPublish(fs, path, bytes, &FileSystem::RenameIfAbsent);
}

absl::Status RemoveTree(FileSystem& fs, absl::string_view path) {
  const absl::StatusOr<FileInfo> info = fs.Stat(path);
  if (absl::IsNotFound(info.status())) {  // or a link that leads nowhere
    const absl::Status removed = fs.Remove(path);
    return absl::IsNotFound(removed) ? absl::OkStatus() : removed;
  }
  KINORA_RETURN_IF_ERROR(info.status());
  if (info->is_directory && !info->is_link) {
    KINORA_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                            fs.List(path));
    for (const std::string& name : names) {
      KINORA_RETURN_IF_ERROR(RemoveTree(fs, JoinPath(path, name)));
    }
  }
  return fs.Remove(path);
}

std::string JoinPath(absl::string_view directory, absl::string_view name) {
  if (directory.empty()) return std::string(name);
  return absl::StrCat(directory, absl::EndsWith(directory, "/") ? "" : "/",
                      name);
}

absl::string_view ParentPath(absl::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == absl::string_view::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace kinora

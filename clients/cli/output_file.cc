#include "clients/cli/output_file.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "common/status.h"

namespace kinora {
namespace {

// As many as Linux follows.
constexpr int kMaxLinks = 40;
// A crash may have left a file of a process that had our id.
constexpr int kMaxTemporaries = 100;

// Where a chain of links ends, also if there is nothing.
absl::StatusOr<std::string> EndOfLinks(const std::string& path) {
  std::filesystem::path at(path);
  for (int i = 0; i < kMaxLinks; ++i) {
    std::error_code error;
    if (!std::filesystem::is_symlink(
            std::filesystem::symlink_status(at, error))) {
      return at.string();
    }
    const std::filesystem::path target =
        std::filesystem::read_symlink(at, error);
    if (error) {
      return absl::FailedPreconditionError(absl::StrCat(
          "cannot read the link \"", at.string(), "\": ", error.message()));
    }
    at = at.parent_path() / target;
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "\"", path, "\" leads through more than ", kMaxLinks, " symbolic links"));
}

absl::Status ThereIs(const std::string& path) {
  return absl::AlreadyExistsError(
      absl::StrCat("there is a file \"", path, "\" already"));
}

// The status of a call on the file beside `path`, of which nobody knows, told
// of `path`.
absl::Status ToldOf(const std::string& path, const std::string& temporary,
                    const absl::Status& status) {
  return absl::Status(status.code(), absl::StrReplaceAll(status.message(),
                                                         {{temporary, path}}));
}

}  // namespace

absl::StatusOr<OutputFile> OutputFile::Open(const std::string& path,
                                            ExistingFile existing) {
  FileSystem& fs = PosixFileSystem();
  const absl::StatusOr<FileInfo> info = fs.Stat(path);
  if (!info.ok() && !absl::IsNotFound(info.status())) return info.status();
  if (info.ok()) {
    if (info->is_directory) {
      return absl::FailedPreconditionError(
          absl::StrCat("\"", path, "\" is a directory"));
    }
    // What is behind the name of an open file has no name of its own.
    const bool is_open_file =
        info->is_link &&
        (absl::StartsWith(path, "/dev/") || absl::StartsWith(path, "/proc/"));
    if (info->is_special || is_open_file) {
      KINORA_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                              fs.OpenForWrite(path, OpenMode::kAppend));
      return OutputFile(std::move(file), path);
    }
    if (existing == ExistingFile::kRefuse) {
      return ThereIs(path);
    }
  }
  KINORA_ASSIGN_OR_RETURN(std::string target, EndOfLinks(path));
  return OpenBeside(std::move(target), existing);
}

absl::StatusOr<OutputFile> OutputFile::OpenBeside(std::string path,
                                                  ExistingFile existing) {
  absl::Status taken;
  for (int i = 0; i < kMaxTemporaries; ++i) {
    std::string temporary = TemporaryPath(path);
    absl::StatusOr<std::unique_ptr<WritableFile>> file =
        PosixFileSystem().OpenForWrite(temporary, OpenMode::kCreate);
    taken = file.status();
    if (absl::IsAlreadyExists(taken)) continue;
    if (!taken.ok()) return ToldOf(path, temporary, taken);
    OutputFile output(*std::move(file), std::move(path));
    output.temporary_ = std::move(temporary);
    output.existing_ = existing;
    return output;
  }
  return taken;
}

OutputFile::~OutputFile() {
  if (file_ == nullptr || temporary_.empty()) return;
  PosixFileSystem().Remove(temporary_).IgnoreError();
}

absl::Status OutputFile::Told(const absl::Status& status) const {
  return temporary_.empty() ? status : ToldOf(path_, temporary_, status);
}

absl::Status OutputFile::Append(absl::string_view bytes) {
  const absl::Status appended = file_->Append(bytes);
  if (!appended.ok()) return Told(appended);
  size_ += static_cast<int64_t>(bytes.size());
  return absl::OkStatus();
}

absl::Status OutputFile::Finish() {
  FileSystem& fs = PosixFileSystem();
  if (temporary_.empty()) {
    const std::unique_ptr<WritableFile> file = std::move(file_);
    return file->Close();
  }
  absl::Status status = file_->Sync();
  if (status.ok()) status = file_->Close();
  if (status.ok()) {
    status = existing_ == ExistingFile::kRefuse
                 ? fs.RenameIfAbsent(temporary_, path_)
                 : fs.Rename(temporary_, path_);
  }
  if (absl::IsAlreadyExists(status)) return ThereIs(path_);
  if (!status.ok()) return Told(status);
  file_ = nullptr;
  return fs.SyncDirectory(ParentPath(path_));
}

}  // namespace kinora

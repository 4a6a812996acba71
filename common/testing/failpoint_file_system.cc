#include "common/testing/failpoint_file_system.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "common/status.h"

namespace kinora {
namespace {

bool IsHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), absl::ascii_isxdigit);
}

// "rev-0001.inputs.jsonl" becomes "REV.inputs.jsonl".
std::string NamePattern(absl::string_view name) {
  if (absl::ConsumePrefix(&name, "run-")) return "RUN";
  if (absl::ConsumePrefix(&name, "rev-")) {
    while (!name.empty() && absl::ascii_isdigit(name[0])) name.remove_prefix(1);
    return absl::StrCat("REV", name);
  }
  const absl::string_view stem = name.substr(0, name.find('.'));
  if (stem.size() == 64 && IsHex(stem)) {
    return absl::StrCat("HASH", name.substr(64));
  }
  std::string pattern;
  for (const char c : name) {
    if (!absl::ascii_isdigit(c)) {
      pattern.push_back(c);
    } else if (!absl::EndsWith(pattern, "N")) {
      pattern.push_back('N');
    }
  }
  return pattern;
}

}  // namespace

std::string FilePattern(absl::string_view data_dir, absl::string_view path) {
  if (!absl::ConsumePrefix(&path, data_dir)) return std::string(path);
  absl::ConsumePrefix(&path, "/");
  std::vector<std::string> parts;
  std::string above;
  for (absl::string_view name : absl::StrSplit(path, '/')) {
    const bool movie = above == "builds" || above == "movie";
    const absl::string_view extension =
        absl::EndsWith(name, ".json") ? ".json" : "";
    parts.push_back(movie              ? absl::StrCat("MOVIE", extension)
                    : above == "blobs" ? "HH"
                                       : NamePattern(name));
    above = std::string(name);
  }
  return absl::StrJoin(parts, "/");
}

class FailpointFileSystem::File final : public WritableFile {
 public:
  File(const FailpointFileSystem& fs, std::string path,
       std::unique_ptr<WritableFile> base)
      : fs_(fs), path_(std::move(path)), base_(std::move(base)) {}

  absl::Status Append(absl::string_view bytes) override {
    fs_.At("write", path_);
    const size_t half = bytes.size() / 2;
    if (half > 0) {
      KINORA_RETURN_IF_ERROR(base_->Append(bytes.substr(0, half)));
      fs_.At("write-half", path_);
    }
    return base_->Append(bytes.substr(half));
  }
  absl::Status Reserve(uint64_t bytes) override {
    fs_.At("reserve", path_);
    return base_->Reserve(bytes);
  }
  absl::Status Sync() override {
    fs_.At("sync", path_);
    return absl::OkStatus();
  }
  absl::Status Close() override { return base_->Close(); }
  uint64_t Size() const override { return base_->Size(); }

 private:
  const FailpointFileSystem& fs_;
  const std::string path_;
  const std::unique_ptr<WritableFile> base_;
};

void FailpointFileSystem::At(absl::string_view operation,
                             absl::string_view path) const {
  reach_(absl::StrCat(operation, " ", FilePattern(data_dir_, path)));
}

void FailpointFileSystem::At(absl::string_view operation,
                             absl::string_view from,
                             absl::string_view to) const {
  reach_(absl::StrCat(operation, " ", FilePattern(data_dir_, from), " > ",
                      FilePattern(data_dir_, to)));
}

absl::StatusOr<std::unique_ptr<RandomAccessFile>>
FailpointFileSystem::OpenForRead(absl::string_view path) {
  return base_.OpenForRead(path);
}

absl::StatusOr<std::unique_ptr<WritableFile>> FailpointFileSystem::OpenForWrite(
    absl::string_view path, OpenMode mode) {
  At("open", path);
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                          base_.OpenForWrite(path, mode));
  return std::make_unique<File>(*this, std::string(path), std::move(file));
}

absl::StatusOr<std::vector<std::string>> FailpointFileSystem::List(
    absl::string_view directory) {
  return base_.List(directory);
}

absl::StatusOr<FileInfo> FailpointFileSystem::Stat(absl::string_view path) {
  return base_.Stat(path);
}

absl::StatusOr<std::string> FailpointFileSystem::RealPath(
    absl::string_view path) {
  return base_.RealPath(path);
}

absl::Status FailpointFileSystem::CreateDirectories(
    absl::string_view directory) {
  if (base_.Stat(directory).ok()) return absl::OkStatus();
  At("make-directory", directory);
  return base_.CreateDirectories(directory);
}

absl::Status FailpointFileSystem::CreateDirectory(absl::string_view directory) {
  At("create-directory", directory);
  return base_.CreateDirectory(directory);
}

absl::Status FailpointFileSystem::Rename(absl::string_view from,
                                         absl::string_view to) {
  At("rename", from, to);
  return base_.Rename(from, to);
}

absl::Status FailpointFileSystem::RenameIfAbsent(absl::string_view from,
                                                 absl::string_view to) {
  At("link", from, to);
  // In two steps, as the disk does it, for the point between them.
  if (::link(std::string(from).c_str(), std::string(to).c_str()) != 0) {
    return base_.RenameIfAbsent(from, to);  // for its error
  }
  At("unlink-linked", from, to);
  return base_.Remove(from);
}

absl::Status FailpointFileSystem::Remove(absl::string_view path) {
  At("unlink", path);
  return base_.Remove(path);
}

absl::Status FailpointFileSystem::Truncate(absl::string_view path,
                                           uint64_t size_bytes) {
  At("truncate", path);
  return base_.Truncate(path, size_bytes);
}

absl::Status FailpointFileSystem::Touch(absl::string_view path) {
  At("touch", path);
  return base_.Touch(path);
}

absl::Status FailpointFileSystem::SyncDirectory(absl::string_view directory) {
  At("sync-directory", directory);
  return absl::OkStatus();
}

// The bytes and names outlive the process without.
class FailpointFileSystem::Volume final : public VolumeSync {
 public:
  Volume(const FailpointFileSystem& fs, absl::string_view directory)
      : fs_(fs), directory_(directory) {}

  absl::Status Sync() override {
    fs_.At("sync-volume", directory_);
    return absl::OkStatus();
  }

 private:
  const FailpointFileSystem& fs_;
  const std::string directory_;
};

absl::StatusOr<std::unique_ptr<VolumeSync>> FailpointFileSystem::OpenVolume(
    absl::string_view directory) {
  return std::make_unique<Volume>(*this, directory);
}

absl::StatusOr<std::unique_ptr<FileLock>> FailpointFileSystem::Lock(
    absl::string_view path) {
  return base_.Lock(path);
}

}  // namespace kinora

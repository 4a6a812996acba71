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

class FailpointFileSystem::File final : public ForwardingWritableFile {
 public:
  File(const FailpointFileSystem& fs, std::string path,
       std::unique_ptr<WritableFile> base)
      : ForwardingWritableFile(std::move(base)),
        fs_(fs),
        path_(std::move(path)) {}

  absl::Status Append(absl::string_view bytes) override {
    fs_.At("write", path_);
    const size_t half = bytes.size() / 2;
    if (half > 0) {
      KINORA_RETURN_IF_ERROR(
          ForwardingWritableFile::Append(bytes.substr(0, half)));
      fs_.At("write-half", path_);
    }
    return ForwardingWritableFile::Append(bytes.substr(half));
  }
  absl::Status Reserve(uint64_t bytes) override {
    fs_.At("reserve", path_);
    return ForwardingWritableFile::Reserve(bytes);
  }
  // The kernel has the bytes at once, or the process would take some with it.
  void ExpectLarge() override {}
  absl::Status Sync() override {
    fs_.At("sync", path_);
    return absl::OkStatus();
  }

 private:
  const FailpointFileSystem& fs_;
  const std::string path_;
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

absl::StatusOr<std::unique_ptr<WritableFile>> FailpointFileSystem::OpenForWrite(
    absl::string_view path, OpenMode mode) {
  At("open", path);
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                          ForwardingFileSystem::OpenForWrite(path, mode));
  return std::make_unique<File>(*this, std::string(path), std::move(file));
}

absl::Status FailpointFileSystem::CreateDirectories(
    absl::string_view directory) {
  if (ForwardingFileSystem::Stat(directory).ok()) return absl::OkStatus();
  At("make-directory", directory);
  return ForwardingFileSystem::CreateDirectories(directory);
}

absl::Status FailpointFileSystem::CreateDirectory(absl::string_view directory) {
  At("create-directory", directory);
  return ForwardingFileSystem::CreateDirectory(directory);
}

absl::Status FailpointFileSystem::Rename(absl::string_view from,
                                         absl::string_view to) {
  At("rename", from, to);
  return ForwardingFileSystem::Rename(from, to);
}

absl::Status FailpointFileSystem::RenameIfAbsent(absl::string_view from,
                                                 absl::string_view to) {
  At("link", from, to);
  // In two steps, as the disk does it, for the point between them.
  if (::link(std::string(from).c_str(), std::string(to).c_str()) != 0) {
    return ForwardingFileSystem::RenameIfAbsent(from, to);  // for its error
  }
  At("unlink-linked", from, to);
  return ForwardingFileSystem::Remove(from);
}

absl::Status FailpointFileSystem::Remove(absl::string_view path) {
  At("unlink", path);
  return ForwardingFileSystem::Remove(path);
}

absl::Status FailpointFileSystem::Truncate(absl::string_view path,
                                           uint64_t size_bytes) {
  At("truncate", path);
  return ForwardingFileSystem::Truncate(path, size_bytes);
}

absl::Status FailpointFileSystem::Touch(absl::string_view path) {
  At("touch", path);
  return ForwardingFileSystem::Touch(path);
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

}  // namespace kinora

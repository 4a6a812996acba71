#include "clients/cpp/import/folder_files.h"

#include <cstdint>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "clients/cpp/import/folder_file.h"
#include "clients/cpp/import/folder_problems.h"
#include "clients/cpp/import/stray_file.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr uint64_t kMaxDocumentBytes = uint64_t{64} << 20;

// Without ".", ".." and double slashes; nullopt if it leads above the root.
std::optional<std::string> Normal(absl::string_view path) {
  std::vector<absl::string_view> parts;
  for (const absl::string_view part : absl::StrSplit(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
      continue;
    }
    if (parts.empty()) return std::nullopt;
    parts.pop_back();
  }
  return absl::StrJoin(parts, "/");
}

}  // namespace

absl::Status FolderFiles::Open() {
  KINORA_ASSIGN_OR_RETURN(root_, fs_.RealPath(dir_));
  return absl::OkStatus();
}

std::string FolderFiles::PathOf(absl::string_view below) const {
  return below.empty() ? dir_ : JoinPath(dir_, below);
}

absl::Status FolderFiles::CheckPlace(absl::string_view below) {
  const std::string path = PathOf(below);
  const absl::Status status = CheckLeadsBelow(fs_, path, root_);
  return absl::IsInvalidArgument(status) ? Annotate(status, path) : status;
}

absl::StatusOr<std::string> FolderFiles::Read(const std::string& below) {
  KINORA_ASSIGN_OR_RETURN(std::string text,
                          ReadFile(fs_, PathOf(below), kMaxDocumentBytes));
  named_.insert(below);
  return text;
}

std::optional<std::string> FolderFiles::Below(
    absl::string_view base, absl::string_view reference) const {
  absl::ConsumePrefix(&reference, "file://");
  if (!absl::StartsWith(reference, "/")) {
    return Normal(absl::StrCat(base, "/", reference));
  }
  const std::optional<std::string> path = Normal(reference);
  const std::optional<std::string> root = Normal(dir_);
  if (!path.has_value() || !root.has_value() || !absl::StartsWith(dir_, "/")) {
    return std::nullopt;
  }
  absl::string_view rest = *path;
  if (!absl::ConsumePrefix(&rest, *root) || !absl::ConsumePrefix(&rest, "/")) {
    return std::nullopt;
  }
  return std::string(rest);
}

absl::StatusOr<bool> FolderFiles::IsFile(absl::string_view below) {
  const absl::StatusOr<FileInfo> info = fs_.Stat(PathOf(below));
  if (info.ok()) return !info->is_directory;
  if (absl::IsNotFound(info.status()) ||
      absl::IsInvalidArgument(info.status()) ||
      absl::IsFailedPrecondition(info.status())) {
    return false;
  }
  return info.status();
}

absl::StatusOr<std::string> FolderFiles::Find(absl::string_view file,
                                              absl::string_view base,
                                              const std::string& reference) {
  const std::optional<std::string> below = Below(base, reference);
  if (!below.has_value()) {
    return ProblemIn(file, "path", reference,
                     absl::StrCat("leads out of ", dir_));
  }
  KINORA_ASSIGN_OR_RETURN(const bool there, IsFile(*below));
  if (!there) {
    return ProblemIn(file, "path", reference, "there is no such file");
  }
  const absl::Status place = CheckLeadsBelow(fs_, PathOf(*below), root_);
  if (absl::IsInvalidArgument(place)) {
    return ProblemIn(file, "path", reference, place.message());
  }
  KINORA_RETURN_IF_ERROR(place);
  named_.insert(*below);
  return *below;
}

absl::StatusOr<FolderValue> FolderFiles::ValueOf(const std::string& below) {
  const auto known = values_.find(below);
  if (known != values_.end()) return known->second;
  KINORA_ASSIGN_OR_RETURN(const FolderValue value,
                          ValueOfFile(fs_, PathOf(below)));
  values_[below] = value;
  return value;
}

absl::Status FolderFiles::ListUnused(const std::string& below,
                                     RevisionFolder* folder) {
  KINORA_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                          fs_.List(PathOf(below)));
  for (const std::string& name : names) {
    const std::string path =
        below.empty() ? name : absl::StrCat(below, "/", name);
    if (named_.count(path) > 0) continue;
    if (IsStrayName(name)) {
      folder->stray.push_back(path);
      continue;
    }
    const absl::StatusOr<FileInfo> info = fs_.Stat(PathOf(path));
    // A link may lead nowhere, or in a circle, and nobody needs it.
    const bool leads_nowhere = absl::IsNotFound(info.status()) ||
                               absl::IsFailedPrecondition(info.status());
    if (!leads_nowhere) KINORA_RETURN_IF_ERROR(info.status());
    if (info.ok() && info->is_directory && !info->is_link) {
      KINORA_RETURN_IF_ERROR(ListUnused(path, folder));
    } else if (!IsNamedBelow(path)) {
      folder->unused.push_back(path);
    }
  }
  return absl::OkStatus();
}

// True if a file was read by a path through the directory, which is a link.
bool FolderFiles::IsNamedBelow(const std::string& path) const {
  const auto first = named_.lower_bound(absl::StrCat(path, "/"));
  return first != named_.end() &&
         absl::StartsWith(*first, absl::StrCat(path, "/"));
}

}  // namespace kinora

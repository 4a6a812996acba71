#include "clients/cpp/import/folder_problems.h"

#include <string>

#include "absl/strings/str_cat.h"

#include "common/status.h"

namespace kinora {
namespace {

// A link that leads in a circle is a FAILED_PRECONDITION.
bool IsOfFolder(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsNotFound(status) ||
         absl::IsPermissionDenied(status) || absl::IsFailedPrecondition(status);
}

}  // namespace

absl::Status ProblemIn(absl::string_view file, absl::string_view what,
                       absl::string_view value, absl::string_view why) {
  return Annotate(InvalidField(what, value, why), file);
}

absl::Status FolderProblems::Note(const absl::Status& status) {
  if (status.ok() || !IsOfFolder(status)) return status;
  for (const absl::Status& known : told_) {
    if (known == status) return absl::OkStatus();
  }
  ++count_;
  if (told_.size() < kMaxToldProblems) told_.push_back(status);
  return absl::OkStatus();
}

absl::Status FolderProblems::Told(absl::string_view dir) const {
  if (count_ == 0) return absl::OkStatus();
  if (count_ == 1) return told_[0];
  std::string text = absl::StrCat(dir, " has ", count_, " problems:");
  for (const absl::Status& problem : told_) {
    absl::StrAppend(&text, "\n  ", problem.message());
  }
  if (count_ > told_.size()) {
    absl::StrAppend(&text, "\n  and ", count_ - told_.size(), " more");
  }
  return absl::InvalidArgumentError(text);
}

}  // namespace kinora

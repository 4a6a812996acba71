#include "services/store/object/staged_object.h"

#include "absl/strings/str_cat.h"

#include "common/status.h"

namespace kinora {
namespace {

// An object of more is large. What is smaller is often read again soon, and
// from the cache then.
constexpr uint64_t kLargeBytes = uint64_t{16} << 20;

}  // namespace

StagedObject::~StagedObject() {
  file_.reset();
  if (!published_) places_.fs().Remove(staged_).IgnoreError();
}

absl::Status StagedObject::Append(absl::string_view bytes) {
  if (file_->Size() >= kLargeBytes) file_->ExpectLarge();
  return file_->Append(bytes);
}

absl::StatusOr<bool> StagedObject::CommitIfAbsent(absl::string_view key) {
  KINORA_RETURN_IF_ERROR(ValidateObjectKey(key));
  KINORA_RETURN_IF_ERROR(places_.gate().Check());
  const std::string path = places_.PathOf(key);
  KINORA_ASSIGN_OR_RETURN(const bool exists, Exists(places_.fs(), path));
  if (!exists) KINORA_RETURN_IF_ERROR(Finish());
  // Also an object that is there already is acknowledged only once its name
  // is durable: the writer who was faster may not have come that far.
  if (exists) {
    KINORA_RETURN_IF_ERROR(places_.directories().Ensure(ParentPath(path)));
    KINORA_RETURN_IF_ERROR(places_.SyncNamesIn(ParentPath(path)));
    return false;
  }
  return PublishIfAbsent(path);
}

absl::Status StagedObject::Finish() {
  KINORA_RETURN_IF_ERROR(file_->Sync());
  return file_->Close();
}

absl::Status StagedObject::WriteUnsynced(absl::string_view bytes) {
  KINORA_RETURN_IF_ERROR(file_->Append(bytes));
  return file_->Close();
}

absl::StatusOr<bool> StagedObject::TakeName(const std::string& path) {
  const absl::Status renamed = places_.fs().RenameIfAbsent(staged_, path);
  if (!renamed.ok() && !absl::IsAlreadyExists(renamed)) {
    return NotMoved(renamed, path);
  }
  published_ = renamed.ok();
  return renamed.ok();
}

absl::Status StagedObject::NotMoved(const absl::Status& failed,
                                    absl::string_view path) const {
  if (!absl::IsUnimplemented(failed)) return failed;
  return absl::FailedPreconditionError(absl::StrCat(
      "\"", path, "\" is on another volume than \"", ParentPath(staged_),
      "\", where objects are written before they get their names: keep the "
      "whole data directory, with all that links in it lead to, on one "
      "volume"));
}

absl::StatusOr<bool> StagedObject::PublishIfAbsent(const std::string& path) {
  KINORA_RETURN_IF_ERROR(places_.directories().Ensure(ParentPath(path)));
  KINORA_ASSIGN_OR_RETURN(const bool taken, TakeName(path));
  KINORA_RETURN_IF_ERROR(places_.SyncNamesIn(ParentPath(path)));
  return taken;
}

absl::Status StagedObject::Publish(const std::string& path) {
  KINORA_RETURN_IF_ERROR(places_.directories().Ensure(ParentPath(path)));
  const absl::Status renamed = places_.fs().Rename(staged_, path);
  const absl::StatusOr<FileInfo> taken =
      renamed.ok() ? FileInfo() : places_.fs().Stat(path);
  if (taken.ok() && taken->is_directory) {
    return absl::FailedPreconditionError(
        absl::StrCat("write \"", path, "\": Is a directory"));
  }
  if (!renamed.ok()) return NotMoved(renamed, path);
  published_ = true;
  return places_.SyncNamesIn(ParentPath(path));
}

}  // namespace kinora

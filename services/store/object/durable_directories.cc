#include "services/store/object/durable_directories.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/status.h"

namespace kinora {
namespace {

// 256 directories of blobs for each of 250 movies in use; beyond that the set
// starts afresh, which costs one sync for each directory used again.
constexpr size_t kMaxKnown = 65536;

}  // namespace

absl::Status DurableDirectories::Ensure(absl::string_view directory) {
  MutexLock lock(mu_);
  return EnsureLocked(directory);
}

absl::Status DurableDirectories::EnsureLocked(absl::string_view directory) {
  if (known_.contains(directory)) return absl::OkStatus();
  const bool below_root = directory.size() > root_.size();
  if (below_root) KINORA_RETURN_IF_ERROR(EnsureLocked(ParentPath(directory)));
  KINORA_RETURN_IF_ERROR(fs_.CreateDirectories(directory));
  if (below_root) {
    KINORA_RETURN_IF_ERROR(fs_.SyncDirectory(ParentPath(directory)));
  }
  Remember(directory);
  return absl::OkStatus();
}

absl::Status DurableDirectories::Make(absl::string_view directory) {
  MutexLock lock(mu_);
  if (known_.contains(directory)) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(EnsureLocked(ParentPath(directory)));
  return fs_.CreateDirectory(directory);
}

void DurableDirectories::AreDurable(const std::set<std::string>& directories) {
  MutexLock lock(mu_);
  for (const std::string& directory : directories) Remember(directory);
}

void DurableDirectories::Forget(absl::string_view directory) {
  const std::string below = absl::StrCat(directory, "/");
  MutexLock lock(mu_);
  absl::erase_if(known_, [&](const std::string& known) {
    return known == directory || absl::StartsWith(known, below);
  });
}

void DurableDirectories::Remember(absl::string_view directory) {
  if (known_.size() >= kMaxKnown) known_.clear();
  known_.insert(std::string(directory));
}

}  // namespace kinora

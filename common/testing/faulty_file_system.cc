#include "common/testing/faulty_file_system.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/random.h"
#include "common/status.h"
#include "common/testing/faulty_disk.h"
#include "common/testing/faulty_files.h"
#include "common/threads/mutex.h"

namespace kinora {
namespace {

std::string Clean(absl::string_view path) {
  while (path.size() > 1 && absl::EndsWith(path, "/")) path.remove_suffix(1);
  return std::string(path);
}

absl::Status NotFound(absl::string_view what, absl::string_view path) {
  return absl::NotFoundError(
      absl::StrCat(what, " \"", path, "\": No such file or directory"));
}

absl::Status Taken(absl::string_view what, absl::string_view path) {
  return absl::AlreadyExistsError(
      absl::StrCat(what, " \"", path, "\": File exists"));
}

using State = FaultyFileSystemState;

}  // namespace

FaultyFileSystem::FaultyFileSystem() : state_(std::make_shared<State>()) {}
FaultyFileSystem::~FaultyFileSystem() = default;

absl::StatusOr<std::unique_ptr<RandomAccessFile>> FaultyFileSystem::OpenForRead(
    absl::string_view path) {
  MutexLock lock(state_->mu);
  KINORA_RETURN_IF_ERROR(state_->Check(FileOp::kOpenForRead));
  FaultyInodePtr inode = state_->disk.Find(path);
  if (inode == nullptr) {
    if (state_->disk.HasDirectory(Clean(path))) {
      return absl::FailedPreconditionError(
          absl::StrCat("open \"", path, "\": Is a directory"));
    }
    return NotFound("open", path);
  }
  return MakeFaultyRandomAccessFile(state_, std::move(inode), state_->boots);
}

absl::StatusOr<std::unique_ptr<WritableFile>> FaultyFileSystem::OpenForWrite(
    absl::string_view path, OpenMode mode) {
  MutexLock lock(state_->mu);
  KINORA_RETURN_IF_ERROR(state_->Check(FileOp::kOpenForWrite));
  const std::string name(path);
  if (state_->disk.HasDirectory(Clean(path))) {
    return absl::FailedPreconditionError(
        absl::StrCat("open \"", path, "\": Is a directory"));
  }
  if (!state_->disk.HasDirectory(ParentPath(path))) {
    return NotFound("open", path);
  }
  FaultyInodePtr inode = state_->disk.Find(path);
  if (inode != nullptr && mode == OpenMode::kCreate) return Taken("open", path);
  if (inode == nullptr) {
    if (state_->Room() == 0) return State::Full("open", path);
    inode = std::make_shared<FaultyInode>();
    inode->Touch(state_->now);
    state_->disk.SetName(path, inode);
  } else if (mode == OpenMode::kTruncate) {
    inode->Cut(0);
  }
  KINORA_RETURN_IF_ERROR(state_->CountChange());
  return MakeFaultyWritableFile(state_, std::move(inode), name, state_->boots);
}

absl::StatusOr<std::vector<std::string>> FaultyFileSystem::List(
    absl::string_view directory) {
  MutexLock lock(state_->mu);
  KINORA_RETURN_IF_ERROR(state_->Check(FileOp::kList));
  const std::string clean = Clean(directory);
  if (!state_->disk.HasDirectory(clean)) return NotFound("list", directory);
  return state_->disk.List(clean);
}

absl::StatusOr<FileInfo> FaultyFileSystem::Stat(absl::string_view path) {
  MutexLock lock(state_->mu);
  KINORA_RETURN_IF_ERROR(state_->Check(FileOp::kStat));
  if (state_->disk.HasDirectory(Clean(path))) {
    return FileInfo{.is_directory = true};
  }
  const FaultyInodePtr inode = state_->disk.Find(path);
  if (inode == nullptr) return NotFound("stat", path);
  return FileInfo{.size_bytes = inode->data().size(),
                  .modify_time = inode->modify_time()};
}

// There are no links.
absl::StatusOr<std::string> FaultyFileSystem::RealPath(absl::string_view path) {
  MutexLock lock(state_->mu);
  KINORA_RETURN_IF_ERROR(state_->Check(FileOp::kRealPath));
  std::string clean = Clean(path);
  if (state_->disk.HasDirectory(clean)) return clean;
  if (state_->disk.Find(path) == nullptr) return NotFound("resolve", path);
  return clean;
}

absl::Status FaultyFileSystem::CreateDirectories(absl::string_view directory) {
  MutexLock lock(state_->mu);
  KINORA_RETURN_IF_ERROR(state_->Check(FileOp::kCreateDirectories));
  std::string path = Clean(directory);
  std::vector<std::string> missing;
  while (!state_->disk.HasDirectory(path)) {
    if (state_->disk.Find(path) != nullptr) {
      return absl::FailedPreconditionError(
          absl::StrCat("make directory \"", path, "\": Not a directory"));
    }
    missing.push_back(path);
    path = std::string(ParentPath(path));
  }
  if (missing.empty()) return absl::OkStatus();
  if (state_->Room() == 0) return State::Full("make directory", directory);
  for (std::string& made : missing) state_->disk.AddDirectory(std::move(made));
  return state_->CountChange();
}

absl::Status FaultyFileSystem::CreateDirectory(absl::string_view directory) {
  MutexLock lock(state_->mu);
  KINORA_RETURN_IF_ERROR(state_->Check(FileOp::kCreateDirectory));
  const std::string path = Clean(directory);
  if (state_->disk.HasDirectory(path)) return absl::OkStatus();
  if (state_->disk.Find(path) != nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("make directory \"", path, "\": Not a directory"));
  }
  if (!state_->disk.HasDirectory(ParentPath(path))) {
    return NotFound("make directory", directory);
  }
  if (state_->Room() == 0) return State::Full("make directory", directory);
  state_->disk.AddUnsyncedDirectory(path);
  return state_->CountChange();
}

absl::Status FaultyFileSystem::Rename(absl::string_view from,
                                      absl::string_view to) {
  MutexLock lock(state_->mu);
  KINORA_RETURN_IF_ERROR(state_->Check(FileOp::kRename));
  const FaultyInodePtr inode = state_->disk.Find(from);
  if (inode == nullptr || !state_->disk.HasDirectory(ParentPath(to))) {
    return NotFound("rename", absl::StrCat(from, "\" to \"", to));
  }
  if (from != to) state_->disk.MoveName(from, to);
  return state_->CountChange();
}

absl::Status FaultyFileSystem::RenameIfAbsent(absl::string_view from,
                                              absl::string_view to) {
  MutexLock lock(state_->mu);
  KINORA_RETURN_IF_ERROR(state_->Check(FileOp::kRenameIfAbsent));
  const FaultyInodePtr inode = state_->disk.Find(from);
  const std::string paths = absl::StrCat(from, "\" to \"", to);
  if (inode == nullptr || !state_->disk.HasDirectory(ParentPath(to))) {
    return NotFound("link", paths);
  }
  if (state_->disk.Find(to) != nullptr ||
      state_->disk.HasDirectory(Clean(to))) {
    return Taken("link", paths);
  }
  // Two changes, as a crash may leave both names.
  state_->disk.SetName(to, inode);
  state_->disk.SetName(from, nullptr);
  return state_->CountChange();
}

absl::Status FaultyFileSystem::Remove(absl::string_view path) {
  MutexLock lock(state_->mu);
  KINORA_RETURN_IF_ERROR(state_->Check(FileOp::kRemove));
  const std::string clean = Clean(path);
  if (state_->disk.Find(path) != nullptr) {
    state_->disk.SetName(path, nullptr);
    return state_->CountChange();
  }
  if (!state_->disk.HasDirectory(clean)) return NotFound("remove", path);
  if (state_->disk.HasEntries(clean)) return Taken("remove", path);
  state_->disk.RemoveDirectory(clean);
  return state_->CountChange();
}

absl::Status FaultyFileSystem::Truncate(absl::string_view path,
                                        uint64_t size_bytes) {
  MutexLock lock(state_->mu);
  KINORA_RETURN_IF_ERROR(state_->Check(FileOp::kTruncate));
  const FaultyInodePtr inode = state_->disk.Find(path);
  if (inode == nullptr) return NotFound("open", path);
  inode->Cut(size_bytes);
  KINORA_RETURN_IF_ERROR(state_->CountChange());
  inode->Sync();
  return absl::OkStatus();
}

absl::Status FaultyFileSystem::Touch(absl::string_view path) {
  MutexLock lock(state_->mu);
  KINORA_RETURN_IF_ERROR(state_->Check(FileOp::kTouch));
  const FaultyInodePtr inode = state_->disk.Find(path);
  if (inode == nullptr) return NotFound("touch", path);
  inode->Touch(state_->now);
  return state_->CountChange();
}

absl::Status FaultyFileSystem::SyncDirectory(absl::string_view directory) {
  MutexLock lock(state_->mu);
  KINORA_RETURN_IF_ERROR(state_->Check(FileOp::kSyncDirectory));
  const std::string clean = Clean(directory);
  if (!state_->disk.HasDirectory(clean)) return NotFound("open", directory);
  KINORA_RETURN_IF_ERROR(state_->CountChange());
  state_->disk.SyncNames(clean);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<VolumeSync>> FaultyFileSystem::OpenVolume(
    absl::string_view directory) {
  MutexLock lock(state_->mu);
  KINORA_RETURN_IF_ERROR(state_->Check(FileOp::kOpenVolume));
  if (!state_->disk.HasDirectory(Clean(directory))) {
    return NotFound("open", directory);
  }
  return MakeFaultyVolumeSync(state_, state_->boots);
}

absl::StatusOr<std::unique_ptr<FileLock>> FaultyFileSystem::Lock(
    absl::string_view path) {
  MutexLock lock(state_->mu);
  KINORA_RETURN_IF_ERROR(state_->Check(FileOp::kLock));
  const std::string name(path);
  if (!state_->disk.HasDirectory(ParentPath(path))) {
    return NotFound("open", path);
  }
  if (!state_->locks.insert(name).second) {
    return absl::FailedPreconditionError(
        absl::StrCat("lock \"", path, "\": held by process 1"));
  }
  if (state_->disk.Find(path) == nullptr) {
    state_->disk.SetName(name, std::make_shared<FaultyInode>());
  }
  return MakeFaultyFileLock(state_, name, state_->boots);
}

void FaultyFileSystem::SetNow(absl::Time now) {
  MutexLock lock(state_->mu);
  state_->now = now;
}

void FaultyFileSystem::Crash(uint64_t seed) { Crash(Survival::kRandom, seed); }

void FaultyFileSystem::Crash(Survival survival, uint64_t seed) {
  SeededRandom random(seed);
  const bool lucky = survival == Survival::kRandom;
  MutexLock lock(state_->mu);
  ++state_->boots;
  state_->locks.clear();
  state_->fail_next.clear();
  state_->fail_always.clear();
  state_->stop_at = std::numeric_limits<int>::max();
  state_->disk.LosePower(lucky, random);
}

void FaultyFileSystem::FailNext(FileOp op, absl::Status status) {
  MutexLock lock(state_->mu);
  state_->fail_next[op].push_back(std::move(status));
}

void FaultyFileSystem::FailAlways(FileOp op, absl::Status status) {
  MutexLock lock(state_->mu);
  state_->fail_always[op] = std::move(status);
}

void FaultyFileSystem::ClearFailures() {
  MutexLock lock(state_->mu);
  state_->fail_next.clear();
  state_->fail_always.clear();
  state_->capacity = std::numeric_limits<size_t>::max();
}

void FaultyFileSystem::SetRoom(uint64_t bytes) {
  MutexLock lock(state_->mu);
  state_->capacity = state_->disk.UsedBytes() + static_cast<size_t>(bytes);
}

void FaultyFileSystem::StopAfter(int changes) {
  MutexLock lock(state_->mu);
  state_->stop_at = state_->changes + changes;
}

bool FaultyFileSystem::stopped() const {
  MutexLock lock(state_->mu);
  return state_->changes > state_->stop_at;
}

int FaultyFileSystem::changes() const {
  MutexLock lock(state_->mu);
  return state_->changes;
}

void FaultyFileSystem::FlipByte(absl::string_view path, uint64_t offset) {
  MutexLock lock(state_->mu);
  const FaultyInodePtr inode = state_->disk.Find(path);
  if (inode == nullptr || offset >= inode->data().size()) std::abort();
  inode->FlipByte(offset);
}

}  // namespace kinora

#include "common/testing/faulty_files.h"

#include <cstring>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "common/status.h"

namespace kinora {
namespace {

using State = FaultyFileSystemState;

class FaultyWritableFile final : public WritableFile {
 public:
  FaultyWritableFile(std::shared_ptr<State> state, FaultyInodePtr inode,
                     std::string path, int boot)
      : state_(std::move(state)),
        inode_(std::move(inode)),
        path_(std::move(path)),
        boot_(boot) {}

  absl::Status Append(absl::string_view bytes) override {
    MutexLock lock(state_->mu);
    KINORA_RETURN_IF_ERROR(Check(FileOp::kAppend));
    const size_t room = state_->Room();
    const bool fits =
        bytes.size() <= reserved_ || bytes.size() - reserved_ <= room;
    if (!fits) bytes = bytes.substr(0, reserved_ + room);
    inode_->Write(inode_->data().size() - reserved_, bytes);
    reserved_ -= std::min(reserved_, bytes.size());
    inode_->Touch(state_->now);
    KINORA_RETURN_IF_ERROR(state_->CountChange());
    return fits ? absl::OkStatus() : State::Full("write", path_);
  }

  absl::Status Reserve(uint64_t bytes) override {
    MutexLock lock(state_->mu);
    KINORA_RETURN_IF_ERROR(Check(FileOp::kReserve));
    if (bytes <= reserved_) return absl::OkStatus();
    const size_t more = static_cast<size_t>(bytes) - reserved_;
    if (more > state_->Room()) return State::Full("write", path_);
    inode_->Write(inode_->data().size(), std::string(more, '\0'));
    reserved_ += more;
    inode_->Touch(state_->now);
    return state_->CountChange();
  }

  absl::Status Sync() override {
    MutexLock lock(state_->mu);
    const absl::Status status = Check(FileOp::kSync);
    if (!status.ok()) {
      // Linux marks pages clean whose write failed: the bytes are gone, and a
      // second sync that reports success has not written them.
      if (!state_->IsStopped(boot_)) inode_->DropUnsynced();
      return Annotate(status, absl::StrCat("sync \"", path_, "\""));
    }
    KINORA_RETURN_IF_ERROR(state_->CountChange());
    inode_->Sync();
    return absl::OkStatus();
  }

  absl::Status Close() override {
    MutexLock lock(state_->mu);
    return Check(FileOp::kClose);
  }

  uint64_t Size() const override {
    MutexLock lock(state_->mu);
    return inode_->data().size() - reserved_;
  }

 private:
  absl::Status Check(FileOp op) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_->mu) {
    if (state_->boots != boot_) return State::Stopped();
    return state_->Check(op);
  }

  const std::shared_ptr<State> state_;
  const FaultyInodePtr inode_;
  const std::string path_;
  const int boot_;
  size_t reserved_ = 0;  // guarded by state_->mu
};

class FaultyRandomAccessFile final : public RandomAccessFile {
 public:
  FaultyRandomAccessFile(std::shared_ptr<State> state, FaultyInodePtr inode,
                         int boot)
      : state_(std::move(state)), inode_(std::move(inode)), boot_(boot) {}

  absl::StatusOr<size_t> ReadAt(uint64_t offset,
                                absl::Span<char> out) const override {
    MutexLock lock(state_->mu);
    if (state_->boots != boot_) return State::Stopped();
    KINORA_RETURN_IF_ERROR(state_->Check(FileOp::kRead));
    const std::string& data = inode_->data();
    if (offset >= data.size()) return 0;
    const size_t n = std::min<uint64_t>(out.size(), data.size() - offset);
    std::memcpy(out.data(), data.data() + offset, n);
    return n;
  }

  absl::StatusOr<uint64_t> Size() const override {
    MutexLock lock(state_->mu);
    if (state_->boots != boot_) return State::Stopped();
    return inode_->data().size();
  }

 private:
  const std::shared_ptr<State> state_;
  const FaultyInodePtr inode_;
  const int boot_;
};

class FaultyVolumeSync final : public VolumeSync {
 public:
  FaultyVolumeSync(std::shared_ptr<State> state, int boot)
      : state_(std::move(state)), boot_(boot) {}

  absl::Status Sync() override {
    MutexLock lock(state_->mu);
    if (state_->boots != boot_) return State::Stopped();
    const absl::Status status = state_->Check(FileOp::kSyncVolume);
    if (!status.ok()) {
      // As for a file.
      if (!state_->IsStopped(boot_)) state_->disk.DropUnsyncedBytes();
      return Annotate(status, "sync volume");
    }
    KINORA_RETURN_IF_ERROR(state_->CountChange());
    state_->disk.SyncAll();
    return absl::OkStatus();
  }

 private:
  const std::shared_ptr<State> state_;
  const int boot_;
};

class FaultyFileLock final : public FileLock {
 public:
  FaultyFileLock(std::shared_ptr<State> state, std::string path, int boot)
      : state_(std::move(state)), path_(std::move(path)), boot_(boot) {}
  ~FaultyFileLock() override {
    MutexLock lock(state_->mu);
    if (state_->boots == boot_) state_->locks.erase(path_);
  }

 private:
  const std::shared_ptr<State> state_;
  const std::string path_;
  const int boot_;
};

}  // namespace

std::unique_ptr<WritableFile> MakeFaultyWritableFile(
    std::shared_ptr<State> state, FaultyInodePtr inode, std::string path,
    int boot) {
  return std::make_unique<FaultyWritableFile>(
      std::move(state), std::move(inode), std::move(path), boot);
}

std::unique_ptr<RandomAccessFile> MakeFaultyRandomAccessFile(
    std::shared_ptr<State> state, FaultyInodePtr inode, int boot) {
  return std::make_unique<FaultyRandomAccessFile>(std::move(state),
                                                  std::move(inode), boot);
}

std::unique_ptr<VolumeSync> MakeFaultyVolumeSync(std::shared_ptr<State> state,
                                                 int boot) {
  return std::make_unique<FaultyVolumeSync>(std::move(state), boot);
}

std::unique_ptr<FileLock> MakeFaultyFileLock(std::shared_ptr<State> state,
                                             std::string path, int boot) {
  return std::make_unique<FaultyFileLock>(std::move(state), std::move(path),
                                          boot);
}

}  // namespace kinora

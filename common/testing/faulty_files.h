// The files that a FaultyFileSystem opens, and what they share with it.

#ifndef KINORA_COMMON_TESTING_FAULTY_FILES_H_
#define KINORA_COMMON_TESTING_FAULTY_FILES_H_

#include <algorithm>
#include <cstddef>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/files/file_system.h"
#include "common/testing/faulty_disk.h"
#include "common/testing/faulty_file_system.h"
#include "common/threads/mutex.h"

namespace kinora {

// All that a FaultyFileSystem and its open files have in common.
struct FaultyFileSystemState {
  Mutex mu;
  FaultyDisk disk ABSL_GUARDED_BY(mu);
  std::set<std::string> locks ABSL_GUARDED_BY(mu);
  std::map<FileOp, std::deque<absl::Status>> fail_next ABSL_GUARDED_BY(mu);
  std::map<FileOp, absl::Status> fail_always ABSL_GUARDED_BY(mu);
  int boots ABSL_GUARDED_BY(mu) = 0;  // a file opened before a crash is dead
  int changes ABSL_GUARDED_BY(mu) = 0;
  int stop_at ABSL_GUARDED_BY(mu) = std::numeric_limits<int>::max();
  size_t capacity ABSL_GUARDED_BY(mu) = std::numeric_limits<size_t>::max();
  absl::Time now ABSL_GUARDED_BY(mu);

  // How many bytes can still be written.
  size_t Room() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    if (capacity == std::numeric_limits<size_t>::max()) return capacity;
    const size_t used = disk.UsedBytes();
    return capacity - std::min(capacity, used);
  }

  static absl::Status Full(absl::string_view what, absl::string_view path) {
    return absl::ResourceExhaustedError(
        absl::StrCat(what, " \"", path, "\": No space left on device"));
  }

  bool IsStopped(int boot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    return boots != boot || changes > stop_at;
  }

  // The failure that was injected for `op`, if any.
  absl::Status Check(FileOp op) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    if (changes > stop_at) return Stopped();
    auto next = fail_next.find(op);
    if (next != fail_next.end() && !next->second.empty()) {
      absl::Status status = std::move(next->second.front());
      next->second.pop_front();
      return status;
    }
    const auto always = fail_always.find(op);
    return always == fail_always.end() ? absl::OkStatus() : always->second;
  }

  // Counts a change that was made. The one that reaches the stop is made but
  // not acknowledged: whether a write in flight survives is for the crash to
  // say.
  absl::Status CountChange() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    return ++changes > stop_at ? Stopped() : absl::OkStatus();
  }

  static absl::Status Stopped() {
    return absl::UnavailableError("the disk has stopped");
  }
};

// Each is dead after the crash that ends `boot`.
std::unique_ptr<WritableFile> MakeFaultyWritableFile(
    std::shared_ptr<FaultyFileSystemState> state, FaultyInodePtr inode,
    std::string path, int boot);
std::unique_ptr<RandomAccessFile> MakeFaultyRandomAccessFile(
    std::shared_ptr<FaultyFileSystemState> state, FaultyInodePtr inode,
    int boot);
std::unique_ptr<VolumeSync> MakeFaultyVolumeSync(
    std::shared_ptr<FaultyFileSystemState> state, int boot);
std::unique_ptr<FileLock> MakeFaultyFileLock(
    std::shared_ptr<FaultyFileSystemState> state, std::string path, int boot);

}  // namespace kinora

#endif  // KINORA_COMMON_TESTING_FAULTY_FILES_H_

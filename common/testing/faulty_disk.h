// A FaultyDisk is the crash model under a FaultyFileSystem: what processes see
// of names and bytes, what of it is on stable storage, and what a loss of power
// makes of the difference. It knows nothing of open files, locks or injected
// failures.

#ifndef KINORA_COMMON_TESTING_FAULTY_DISK_H_
#define KINORA_COMMON_TESTING_FAULTY_DISK_H_

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/random.h"

namespace kinora {

// The bytes of one file, whatever its names.
class FaultyInode {
 public:
  // What processes see.
  const std::string& data() const { return data_; }

  // Writes over what is there, and beyond. REQUIRES: offset <= data().size().
  void Write(size_t offset, absl::string_view bytes);
  // Cuts, or pads with zeros.
  void Cut(size_t size);
  void Sync();
  void DropUnsynced();

  // The time of the last change, synced with the bytes.
  absl::Time modify_time() const { return modify_time_; }
  void Touch(absl::Time now) { modify_time_ = now; }

  // Of the unsynced bytes a random part from their start on survives, less some
  // of the sectors that hold synced bytes; an unsynced cut happened or not.
  void LosePower(bool lucky, Random& random);

  // Changes a byte on both states. REQUIRES: offset < data().size().
  void FlipByte(size_t offset);

 private:
  void KeepSyncedSectors(Random& random);

  std::string data_;
  std::string synced_;    // what is on stable storage
  size_t common_ = 0;     // so many bytes at the start of both are the same
  bool was_cut_ = false;  // since it was synced
  absl::Time modify_time_;
  absl::Time synced_modify_time_;
};
using FaultyInodePtr = std::shared_ptr<FaultyInode>;

// Not thread-safe. Paths are taken as they are: no slash at the end.
class FaultyDisk {
 public:
  // The file of that name; null if there is none, or a directory.
  FaultyInodePtr Find(absl::string_view path) const;
  bool HasDirectory(absl::string_view path) const;

  // What is directly in a directory: names without the path, sorted.
  std::vector<std::string> List(absl::string_view directory) const;
  // True if there is anything below the directory.
  bool HasEntries(absl::string_view directory) const;

  // Changes of names. Each call is one change, which happens whole or not; it
  // is durable after SyncNames() of the directories it touches. Null removes.
  void SetName(absl::string_view path, FaultyInodePtr inode);
  void MoveName(absl::string_view from, absl::string_view to);
  void SyncNames(absl::string_view directory);

  // What all files that have a name take.
  size_t UsedBytes() const;

  // Bytes and names of everything.
  void SyncAll();
  void DropUnsyncedBytes();

  // These are durable at once, as FileSystem::CreateDirectories() syncs the
  // parents.
  void AddDirectory(std::string path) {
    unsynced_directories_.erase(path);
    directories_.insert(std::move(path));
  }
  // One whose name is durable after SyncNames() of its parent. Until then a
  // loss of power may take it, and all below it.
  void AddUnsyncedDirectory(const std::string& path) {
    directories_.insert(path);
    unsynced_directories_.insert(path);
  }
  void RemoveDirectory(absl::string_view path) {
    directories_.erase(std::string(path));
    unsynced_directories_.erase(std::string(path));
  }

  // Loses what was not synced: all of it, or if `lucky` what `random` says. Of
  // the changes of names in one directory a prefix survives; directories are
  // apart from each other.
  void LosePower(bool lucky, Random& random);

 private:
  using Names = std::map<std::string, FaultyInodePtr>;

  // Each name's new file, or none. A rename is one change of two names.
  struct NameChange {
    std::vector<std::pair<std::string, FaultyInodePtr>> names;

    bool Touches(absl::string_view directory) const;
    void ApplyTo(Names* all) const;
  };

  void Change(NameChange change);

  Names names_;    // as processes see them
  Names durable_;  // as stable storage has them
  std::vector<NameChange> pending_;
  std::set<std::string> directories_ = {"/", "."};
  std::set<std::string> unsynced_directories_;
};

}  // namespace kinora

#endif  // KINORA_COMMON_TESTING_FAULTY_DISK_H_

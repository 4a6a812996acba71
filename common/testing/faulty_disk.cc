#include "common/testing/faulty_disk.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/files/file_system.h"

namespace kinora {
namespace {

constexpr size_t kSectorBytes = 512;
constexpr size_t kNameBytes = 64;  // what a file takes beside its bytes

}  // namespace

void FaultyInode::Write(size_t offset, absl::string_view bytes) {
  data_.resize(std::max(data_.size(), offset + bytes.size()));
  std::copy(bytes.begin(), bytes.end(), data_.begin() + offset);
  common_ = std::min(common_, offset);
}

void FaultyInode::Cut(size_t size) {
  was_cut_ = was_cut_ || size < synced_.size();
  data_.resize(size, '\0');
  common_ = std::min(common_, size);
}

void FaultyInode::Sync() {
  synced_.resize(common_);
  synced_.append(data_, common_, std::string::npos);
  common_ = data_.size();
  was_cut_ = false;
  synced_modify_time_ = modify_time_;
}

void FaultyInode::DropUnsynced() {
  data_ = synced_;
  common_ = data_.size();
  was_cut_ = false;
}

void FaultyInode::LosePower(bool lucky, Random& random) {
  if (!lucky || (was_cut_ && UniformBelow(random, 2) == 0)) {
    DropUnsynced();
  } else {
    data_.resize(common_ + UniformBelow(random, data_.size() - common_ + 1));
    if (!was_cut_) KeepSyncedSectors(random);
  }
  if (!lucky || UniformBelow(random, 2) == 0) {
    modify_time_ = synced_modify_time_;
  }
  Sync();
}

// What was written over synced bytes: a disk writes its sectors in any order.
void FaultyInode::KeepSyncedSectors(Random& random) {
  const size_t written = data_.size();
  if (written < synced_.size()) data_.append(synced_, written);
  for (size_t at = common_; at < std::min(written, synced_.size());) {
    const size_t end = std::min((at / kSectorBytes + 1) * kSectorBytes,
                                std::min(written, synced_.size()));
    if (UniformBelow(random, 4) == 0) {
      std::copy(synced_.begin() + at, synced_.begin() + end,
                data_.begin() + at);
    }
    at = end;
  }
}

void FaultyInode::FlipByte(size_t offset) {
  data_[offset] = static_cast<char>(data_[offset] ^ 0xFF);
  if (offset < synced_.size()) {
    synced_[offset] = static_cast<char>(synced_[offset] ^ 0xFF);
  }
}

bool FaultyDisk::NameChange::Touches(absl::string_view directory) const {
  for (const auto& name : names) {
    if (ParentPath(name.first) == directory) return true;
  }
  return false;
}

void FaultyDisk::NameChange::ApplyTo(Names* all) const {
  for (const auto& name : names) {
    if (name.second == nullptr) {
      all->erase(name.first);
    } else {
      (*all)[name.first] = name.second;
    }
  }
}

FaultyInodePtr FaultyDisk::Find(absl::string_view path) const {
  const auto found = names_.find(std::string(path));
  return found == names_.end() ? nullptr : found->second;
}

bool FaultyDisk::HasDirectory(absl::string_view path) const {
  return directories_.count(std::string(path)) > 0;
}

std::vector<std::string> FaultyDisk::List(absl::string_view directory) const {
  // The current directory's names are relative: they have no prefix.
  const std::string prefix = directory == "."   ? ""
                             : directory == "/" ? "/"
                                                : absl::StrCat(directory, "/");
  std::vector<std::string> entries;
  const auto take = [&](const std::string& path) {
    if (ParentPath(path) == directory && path != directory) {
      entries.push_back(path.substr(prefix.size()));
    }
  };
  for (auto name = names_.lower_bound(prefix);
       name != names_.end() && absl::StartsWith(name->first, prefix); ++name) {
    take(name->first);
  }
  for (auto name = directories_.lower_bound(prefix);
       name != directories_.end() && absl::StartsWith(*name, prefix); ++name) {
    take(*name);
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

bool FaultyDisk::HasEntries(absl::string_view directory) const {
  const std::string inside = absl::StrCat(directory, "/");
  const auto name = names_.lower_bound(inside);
  if (name != names_.end() && absl::StartsWith(name->first, inside)) {
    return true;
  }
  const auto below = directories_.lower_bound(inside);
  return below != directories_.end() && absl::StartsWith(*below, inside);
}

void FaultyDisk::SetName(absl::string_view path, FaultyInodePtr inode) {
  Change(NameChange{{{std::string(path), std::move(inode)}}});
}

void FaultyDisk::MoveName(absl::string_view from, absl::string_view to) {
  Change(NameChange{
      {{std::string(from), nullptr}, {std::string(to), Find(from)}}});
}

void FaultyDisk::Change(NameChange change) {
  change.ApplyTo(&names_);
  pending_.push_back(std::move(change));
}

void FaultyDisk::SyncNames(absl::string_view directory) {
  std::vector<NameChange> kept;
  for (NameChange& change : pending_) {
    if (!change.Touches(directory)) {
      kept.push_back(std::move(change));
      continue;
    }
    change.ApplyTo(&durable_);
    // What the change overtook in another directory must not come after it.
    for (NameChange& earlier : kept) {
      for (const auto& name : change.names) {
        std::erase_if(earlier.names, [&name](const auto& other) {
          return other.first == name.first;
        });
      }
    }
  }
  pending_ = std::move(kept);
  std::erase_if(unsynced_directories_, [&](const std::string& path) {
    return ParentPath(path) == directory;
  });
}

size_t FaultyDisk::UsedBytes() const {
  std::set<const FaultyInode*> counted;  // a file may have two names
  size_t used = 0;
  for (const auto& name : names_) {
    if (counted.insert(name.second.get()).second) {
      used += name.second->data().size() + kNameBytes;
    }
  }
  return used;
}

void FaultyDisk::SyncAll() {
  for (const auto& name : names_) name.second->Sync();
  durable_ = names_;
  pending_.clear();
  unsynced_directories_.clear();
}

void FaultyDisk::DropUnsyncedBytes() {
  for (const auto& name : names_) name.second->DropUnsynced();
}

void FaultyDisk::LosePower(bool lucky, Random& random) {
  std::set<std::string> cut;
  for (const NameChange& change : pending_) {
    bool lost = !lucky || UniformBelow(random, 3) == 0;
    for (const auto& name : change.names) {
      if (cut.count(std::string(ParentPath(name.first))) > 0) lost = true;
    }
    if (!lost) {
      change.ApplyTo(&durable_);
      continue;
    }
    for (const auto& name : change.names) {
      cut.insert(std::string(ParentPath(name.first)));
    }
  }
  pending_.clear();
  for (const std::string& path : unsynced_directories_) {
    if (lucky && UniformBelow(random, 2) == 0) continue;
    const std::string inside = path + "/";
    std::erase_if(durable_, [&](const auto& name) {
      return absl::StartsWith(name.first, inside);
    });
    std::erase_if(directories_, [&](const std::string& other) {
      return other == path || absl::StartsWith(other, inside);
    });
  }
  unsynced_directories_.clear();
  names_ = durable_;

  std::set<FaultyInode*> done;  // a file may have two names
  for (const auto& name : names_) {
    if (done.insert(name.second.get()).second) {
      name.second->LosePower(lucky, random);
    }
  }
}

}  // namespace kinora

#include "services/store/object/file_object_storage.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/files/file_url.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "services/store/object/empty_directories.h"

namespace kinora {
namespace {

constexpr absl::string_view kStagingName = "staging~";

// From so many objects on one sync of the whole volume costs less than two
// syncs for each (28 times less for 64 objects of 64 KiB, ext4 on a virtual
// disk that others keep busy).
constexpr size_t kMinTogether = 8;

absl::Status NoObject(absl::string_view key) {
  return absl::NotFoundError(absl::StrCat("no object \"", key, "\""));
}

// A link to a directory is an object, too, but none of ours: who goes through
// all there is, as a deletion does, must not end up outside the storage.
ObjectInfo InfoOf(absl::string_view key, const FileInfo& info) {
  return ObjectInfo{.key = std::string(key),
                    .size_bytes = static_cast<int64_t>(info.size_bytes),
                    .create_time = info.modify_time,
                    .is_foreign = info.is_link || info.is_special};
}

// Below a file there is nothing: the key "a/b" does not exist if "a" is one.
bool IsMissing(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsFailedPrecondition(status);
}

absl::Status NotAsExpected(absl::string_view key) {
  return absl::AbortedError(
      absl::StrCat("\"", key, "\" is not what was expected"));
}

}  // namespace

class FileObjectStorage::Reader final : public ObjectReader {
 public:
  Reader(std::unique_ptr<RandomAccessFile> file, uint64_t size)
      : file_(std::move(file)), size_(size) {}

  absl::StatusOr<size_t> ReadAt(int64_t offset,
                                absl::Span<char> out) const override {
    return file_->ReadAt(static_cast<uint64_t>(offset), out);
  }
  int64_t size_bytes() const override { return static_cast<int64_t>(size_); }

 private:
  const std::unique_ptr<RandomAccessFile> file_;
  const uint64_t size_;  // an object's file never grows
};

FileObjectStorage::FileObjectStorage(FileSystem& fs, absl::string_view root,
                                     const FileObjectStorageOptions& options)
    : fs_(fs),
      root_(root),
      staging_(JoinPath(root, kStagingName)),
      gate_(options.gate != nullptr ? options.gate
                                    : std::make_shared<WriteGate>(root)),
      makes_room_(options.makes_room),
      places_(fs, root, *gate_) {}

absl::StatusOr<std::unique_ptr<FileObjectStorage>> FileObjectStorage::Open(
    FileSystem& fs, absl::string_view root,
    const FileObjectStorageOptions& options) {
  std::unique_ptr<FileObjectStorage> storage(
      new FileObjectStorage(fs, root, options));
  const std::string& staging = storage->staging_;
  KINORA_RETURN_IF_ERROR(storage->places_.directories().Ensure(staging));
  KINORA_ASSIGN_OR_RETURN(storage->real_root_, fs.RealPath(root));
  KINORA_ASSIGN_OR_RETURN(const std::vector<std::string> leftovers,
                          fs.List(staging));
  for (const std::string& name : leftovers) {
    KINORA_RETURN_IF_ERROR(fs.Remove(JoinPath(staging, name)));
  }
  if (!leftovers.empty()) {
    LogInfo("removed unfinished objects",
            {{"directory", staging}, {"count", leftovers.size()}});
  }
  return storage;
}

std::string FileObjectStorage::UrlOf(absl::string_view key) const {
  if (!ValidateObjectKey(key).ok()) return "";
  return FileUrl(JoinPath(real_root_, key));
}

Mutex& FileObjectStorage::LockOf(absl::string_view key) {
  return key_locks_[absl::HashOf(key) % key_locks_.size()];
}

absl::StatusOr<std::unique_ptr<StagedObject>> FileObjectStorage::NewWriter() {
  KINORA_RETURN_IF_ERROR(gate_->CheckAtBegin());
  return OpenStaged();
}

absl::StatusOr<std::unique_ptr<StagedObject>> FileObjectStorage::OpenStaged() {
  std::string staged =
      JoinPath(staging_, absl::StrCat(next_staged_.fetch_add(1)));
  absl::StatusOr<std::unique_ptr<WritableFile>> file =
      fs_.OpenForWrite(staged, OpenMode::kCreate);
  if (absl::IsPermissionDenied(file.status())) {
    return gate_->Close(file.status());
  }
  KINORA_RETURN_IF_ERROR(file.status());
  return std::make_unique<StagedObject>(places_, std::move(staged),
                                        *std::move(file));
}

absl::StatusOr<std::unique_ptr<StagedObject>> FileObjectStorage::Stage(
    absl::string_view key, absl::string_view bytes) {
  const bool makes_room = makes_room_ != nullptr && makes_room_(key);
  KINORA_RETURN_IF_ERROR(makes_room ? gate_->CheckRemoval()
                                    : gate_->CheckAtBegin());
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<StagedObject> writer, OpenStaged());
  KINORA_RETURN_IF_ERROR(writer->Append(bytes));
  KINORA_RETURN_IF_ERROR(writer->Finish());
  return writer;
}

absl::StatusOr<std::string> FileObjectStorage::Read(absl::string_view key,
                                                    int64_t offset,
                                                    int64_t limit) {
  KINORA_RETURN_IF_ERROR(ValidateObjectRange(key, offset, limit));
  const auto file = fs_.OpenForRead(places_.PathOf(key));
  if (!file.ok() && IsMissing(file.status())) return NoObject(key);
  KINORA_RETURN_IF_ERROR(file.status());
  KINORA_ASSIGN_OR_RETURN(const uint64_t size, (*file)->Size());
  const uint64_t begin = static_cast<uint64_t>(offset);
  if (begin > size) return PastObjectEnd(key, offset, size);
  std::string bytes(std::min<uint64_t>(limit, size - begin), '\0');
  KINORA_ASSIGN_OR_RETURN(const size_t got,
                          (*file)->ReadAt(begin, absl::MakeSpan(bytes)));
  bytes.resize(got);
  return bytes;
}

absl::StatusOr<std::unique_ptr<ObjectReader>> FileObjectStorage::OpenRead(
    absl::string_view key) {
  KINORA_RETURN_IF_ERROR(ValidateObjectKey(key));
  auto file = fs_.OpenForRead(places_.PathOf(key));
  if (!file.ok() && IsMissing(file.status())) return NoObject(key);
  KINORA_RETURN_IF_ERROR(file.status());
  KINORA_ASSIGN_OR_RETURN(const uint64_t size, (*file)->Size());
  return std::make_unique<Reader>(*std::move(file), size);
}

absl::StatusOr<ObjectInfo> FileObjectStorage::Stat(absl::string_view key) {
  KINORA_RETURN_IF_ERROR(ValidateObjectKey(key));
  const absl::StatusOr<FileInfo> info = fs_.Stat(places_.PathOf(key));
  if (!info.ok() && IsMissing(info.status())) return NoObject(key);
  KINORA_RETURN_IF_ERROR(info.status());
  if (info->is_directory && !info->is_link) return NoObject(key);
  return InfoOf(key, *info);
}

absl::StatusOr<std::unique_ptr<ObjectWriter>> FileObjectStorage::StartWrite(
    absl::string_view prefix) {
  KINORA_RETURN_IF_ERROR(ValidateObjectPrefix(prefix));
  return NewWriter();
}

void FileObjectStorage::CreateAll(absl::Span<NewObject> objects) {
  absl::Status together = absl::UnimplementedError("too few");
  if (objects.size() >= kMinTogether) together = CreateTogether(objects);
  if (!absl::IsUnimplemented(together)) {
    for (NewObject& object : objects) {
      if (!together.ok() && object.created.ok()) object.created = together;
    }
    return;
  }
  for (NewObject& object : objects) {
    absl::StatusOr<std::unique_ptr<StagedObject>> writer = NewWriter();
    absl::Status status = writer.status();
    if (status.ok()) status = (*writer)->Append(object.bytes);
    if (status.ok()) {
      object.created = (*writer)->CommitIfAbsent(object.key);
    } else {
      object.created = status;
    }
  }
}

absl::Status FileObjectStorage::CreateTogether(absl::Span<NewObject> objects) {
  KINORA_RETURN_IF_ERROR(gate_->CheckAtBegin());
  // Before a byte is written, so that it tells of each that gets lost.
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<VolumeSync> volume,
                          fs_.OpenVolume(root_));
  std::vector<std::unique_ptr<StagedObject>> staged(objects.size());
  for (size_t i = 0; i < objects.size(); ++i) {
    NewObject& object = objects[i];
    absl::Status status = ValidateObjectKey(object.key);
    if (status.ok()) {
      const auto exists = Exists(fs_, places_.PathOf(object.key));
      status = exists.status();
      // It is acknowledged only once its name is durable: see below.
      if (exists.ok() && *exists) continue;
    }
    if (status.ok()) {
      absl::StatusOr<std::unique_ptr<StagedObject>> writer = NewWriter();
      status = writer.status();
      if (writer.ok()) status = (*writer)->WriteUnsynced(object.bytes);
      if (status.ok()) staged[i] = *std::move(writer);
    }
    if (!status.ok()) object.created = status;
  }
  absl::Status synced = volume->Sync();
  if (!synced.ok()) return gate_->Close(synced);
  std::set<std::string> directories;
  for (size_t i = 0; i < objects.size(); ++i) {
    NewObject& object = objects[i];
    if (!object.created.ok()) continue;
    const std::string path = places_.PathOf(object.key);
    absl::Status made = places_.directories().Make(ParentPath(path));
    if (made.ok()) directories.emplace(ParentPath(path));
    if (!made.ok()) {
      object.created = made;
    } else if (staged[i] != nullptr) {
      object.created = staged[i]->TakeName(path);
    }
  }
  synced = volume->Sync();
  if (!synced.ok()) return gate_->Close(synced);
  places_.directories().AreDurable(directories);
  return absl::OkStatus();
}

absl::Status FileObjectStorage::Write(absl::string_view key,
                                      absl::string_view bytes) {
  KINORA_RETURN_IF_ERROR(ValidateObjectKey(key));
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<StagedObject> writer,
                          Stage(key, bytes));
  MutexLock lock(LockOf(key));
  return writer->Publish(places_.PathOf(key));
}

absl::Status FileObjectStorage::CompareAndSwap(
    absl::string_view key, const std::optional<std::string>& expected,
    absl::string_view bytes) {
  KINORA_RETURN_IF_ERROR(ValidateObjectKey(key));
  // Staged before the lock, so that others do not wait for its sync.
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<StagedObject> writer,
                          Stage(key, bytes));
  MutexLock lock(LockOf(key));
  if (!expected.has_value()) {
    KINORA_ASSIGN_OR_RETURN(const bool created,
                            writer->PublishIfAbsent(places_.PathOf(key)));
    return created ? absl::OkStatus() : NotAsExpected(key);
  }
  const absl::StatusOr<std::string> now = ReadObject(*this, key);
  if (absl::IsNotFound(now.status())) return NotAsExpected(key);
  KINORA_RETURN_IF_ERROR(now.status());
  if (*now != *expected) return NotAsExpected(key);
  return writer->Publish(places_.PathOf(key));
}

absl::StatusOr<ObjectPage> FileObjectStorage::List(absl::string_view prefix,
                                                   int page_size,
                                                   absl::string_view token) {
  KINORA_RETURN_IF_ERROR(ValidateObjectPage(prefix, page_size));
  const auto names =
      fs_.List(places_.PathOf(prefix.substr(0, prefix.size() - 1)));
  if (!names.ok() && IsMissing(names.status())) return ObjectPage{};
  KINORA_RETURN_IF_ERROR(names.status());
  ObjectPage page;
  int entries = 0;
  // A token is the name with which the next page begins.
  auto name = std::lower_bound(names->begin(), names->end(), token);
  for (; name != names->end(); ++name) {
    const std::string key = absl::StrCat(prefix, *name);
    if (!ValidateObjectKey(key).ok()) continue;  // not ours
    if (entries++ == page_size) {
      page.next_token = *name;
      break;
    }
    const absl::StatusOr<FileInfo> info = fs_.Stat(places_.PathOf(key));
    if (absl::IsNotFound(info.status())) continue;  // deleted meanwhile
    KINORA_RETURN_IF_ERROR(info.status());
    if (info->is_directory && !info->is_link) {
      page.prefixes.push_back(key + "/");
    } else {
      page.objects.push_back(InfoOf(key, *info));
    }
  }
  return page;
}

absl::StatusOr<bool> FileObjectStorage::RemoveFile(absl::string_view key) {
  MutexLock lock(LockOf(key));
  // Remove() would take an empty directory, which is no object.
  const absl::Status exists = Stat(key).status();
  if (absl::IsNotFound(exists)) return false;
  KINORA_RETURN_IF_ERROR(exists);
  KINORA_RETURN_IF_ERROR(fs_.Remove(places_.PathOf(key)));
  return true;
}

absl::Status FileObjectStorage::Delete(absl::string_view key) {
  return DeleteAll({std::string(key)});
}

absl::Status FileObjectStorage::DeleteAll(absl::Span<const std::string> keys) {
  KINORA_RETURN_IF_ERROR(gate_->CheckRemoval());
  std::set<std::string> changed;  // directories
  absl::Status status;
  for (const std::string& key : keys) {
    status = ValidateObjectKey(key);
    if (!status.ok()) break;
    const absl::StatusOr<bool> removed = RemoveFile(key);
    status = removed.status();
    if (!status.ok()) break;
    if (*removed) changed.emplace(ParentPath(places_.PathOf(key)));
  }
  for (const std::string& directory : changed) {
    const absl::Status synced = places_.SyncRemovalsIn(directory);
    if (status.ok()) status = synced;
  }
  // There may be room now.
  if (!changed.empty()) gate_->CheckAtBegin().IgnoreError();
  return status;
}

void FileObjectStorage::DropEmpty(absl::string_view prefix) {
  const std::string directory = places_.PathOf(absl::StripSuffix(prefix, "/"));
  places_.directories().Forget(directory);
  const absl::Status removed = RemoveEmptyTree(fs_, directory).status();
  if (removed.ok()) return;
  LogWarning("empty directories are to be removed later",
             {{"directory", directory}, {"error", removed}});
}

absl::Status FileObjectStorage::Renew(absl::string_view key) {
  KINORA_RETURN_IF_ERROR(ValidateObjectKey(key));
  KINORA_RETURN_IF_ERROR(gate_->CheckRemoval());
  const absl::Status touched = fs_.Touch(places_.PathOf(key));
  return IsMissing(touched) ? NoObject(key) : touched;
}

}  // namespace kinora

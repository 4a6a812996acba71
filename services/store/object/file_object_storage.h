// A FileObjectStorage keeps each object as one file below a root directory; the
// key is the path.
//
// An object is written to `<root>/staging~/<n>`, synced, and renamed to its
// path, whose directory is then synced: only now is it acknowledged. '~' cannot
// be in a key, so no listing shows the staging directory. Staging lies in one
// directory, and not beside the objects, so that what a crash left there is
// found and removed on open without a walk through millions of blobs. A rename
// needs one volume, and so does what syncs many objects together: nothing below
// the root may be on another one, by a link or a mount. An object there can be
// read; making or replacing it is FAILED_PRECONDITION, naming both places.
//
// Of many objects that are made together all files are synced by one sync of
// the volume, and all names by another; where the volume cannot be synced as a
// whole (FileSystem::OpenVolume()) each is made alone.
//
// If a directory cannot be synced after a rename, nobody can tell whether the
// name is durable, and a repeated sync would not tell either; of a volume that
// cannot be synced nobody can tell which bytes are. From then on all changes
// are refused with UNAVAILABLE; reads go on. So they are if nothing can be
// staged for want of permission, as no object can be written then. Any other
// failure, such as a full disk, fails its own call and leaves nothing behind.
// While the gate is closed for want of room, objects can still be deleted.

#ifndef KINORA_SERVICES_STORE_OBJECT_FILE_OBJECT_STORAGE_H_
#define KINORA_SERVICES_STORE_OBJECT_FILE_OBJECT_STORAGE_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"
#include "common/threads/mutex.h"
#include "services/store/object/object_places.h"
#include "services/store/object/object_storage.h"
#include "services/store/object/staged_object.h"
#include "services/store/write_gate.h"

namespace kinora {

struct FileObjectStorageOptions {
  // Shared with what else writes to the volume; without one the storage has
  // its own.
  std::shared_ptr<WriteGate> gate;

  // True for keys of small objects that are written so that others can be
  // deleted: those may be replaced also while the gate is closed for want of
  // room, as far as there is some. Null for none.
  bool (*makes_room)(absl::string_view key) = nullptr;
};

// Thread-safe. MUST outlive its writers.
class FileObjectStorage final : public ObjectStorage {
 public:
  // Makes `root` if needed and removes what an earlier process left staged.
  // REQUIRES: no other FileObjectStorage, here or in another process, has this
  // root. The lock that FileEventLog holds on the same root sees to that: open
  // the event log first.
  static absl::StatusOr<std::unique_ptr<FileObjectStorage>> Open(
      FileSystem& fs, absl::string_view root,
      const FileObjectStorageOptions& options = {});

  absl::StatusOr<std::string> Read(absl::string_view key, int64_t offset,
                                   int64_t limit) override;
  absl::StatusOr<std::unique_ptr<ObjectReader>> OpenRead(
      absl::string_view key) override;
  absl::StatusOr<ObjectInfo> Stat(absl::string_view key) override;
  absl::StatusOr<std::unique_ptr<ObjectWriter>> StartWrite(
      absl::string_view prefix) override;
  void CreateAll(absl::Span<NewObject> objects) override;
  absl::Status Write(absl::string_view key, absl::string_view bytes) override;
  absl::Status CompareAndSwap(absl::string_view key,
                              const std::optional<std::string>& expected,
                              absl::string_view bytes) override;

  // Reads the whole directory for each page.
  absl::StatusOr<ObjectPage> List(absl::string_view prefix, int page_size,
                                  absl::string_view token) override;

  // These leave an empty directory in place, until DropEmpty(). DeleteAll()
  // syncs each directory once.
  absl::Status Delete(absl::string_view key) override;
  absl::Status DeleteAll(absl::Span<const std::string> keys) override;
  absl::Status Renew(absl::string_view key) override;
  void DropEmpty(absl::string_view prefix) override;
  bool KeepsFiles() const override { return true; }

  // A `file:` URL; all links in the root's own path are followed.
  std::string UrlOf(absl::string_view key) const override;

 private:
  class Reader;

  FileObjectStorage(FileSystem& fs, absl::string_view root,
                    const FileObjectStorageOptions& options);

  absl::StatusOr<std::unique_ptr<StagedObject>> NewWriter();
  // One staged file with `bytes`, synced, to replace the object of that key.
  absl::StatusOr<std::unique_ptr<StagedObject>> Stage(absl::string_view key,
                                                      absl::string_view bytes);
  absl::StatusOr<std::unique_ptr<StagedObject>> OpenStaged();
  // Stages, syncs and names objects together. An error is that of all of them
  // that have none of their own; UNIMPLEMENTED if nothing was done, as the
  // volume cannot be synced as a whole.
  absl::Status CreateTogether(absl::Span<NewObject> objects);

  // Removes the file of `key`, if there is one; does not sync its directory.
  absl::StatusOr<bool> RemoveFile(absl::string_view key);

  // Held while an object is replaced or deleted, so that a comparison holds
  // until the swap. Keys share locks; nothing takes two.
  Mutex& LockOf(absl::string_view key);

  FileSystem& fs_;
  const std::string root_;
  std::string real_root_;  // absolute; set by Open()
  const std::string staging_;
  const std::shared_ptr<WriteGate> gate_;
  bool (*const makes_room_)(absl::string_view key);
  ObjectPlaces places_;
  std::atomic<uint64_t> next_staged_ = 1;
  std::array<Mutex, 64> key_locks_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_OBJECT_FILE_OBJECT_STORAGE_H_

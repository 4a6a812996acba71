// An ObjectStorage keeps named byte strings: blobs, manifests, the current
// pointer, plans and records. Drivers: MemoryObjectStorage, FileObjectStorage;
// every driver passes tests/contract/object_storage_contract.h.
//
// Keys are '/'-separated paths such as `builds/film/current.json`: non-empty
// parts of [A-Za-z0-9._%-], none of them "." or "..", at most 255 bytes each
// and 1024 in all (what file systems and S3 bear). A malformed key is
// INVALID_ARGUMENT naming the field "key".
//
// Promises: an object appears whole or not at all; what a call has
// acknowledged is on stable storage; a reader sees either the old or the new
// bytes of an object that is being replaced, never a mixture.

#ifndef KINORA_SERVICES_STORE_OBJECT_OBJECT_STORAGE_H_
#define KINORA_SERVICES_STORE_OBJECT_OBJECT_STORAGE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace kinora {

// An object without its bytes.
struct ObjectInfo {
  std::string key;
  int64_t size_bytes = 0;
  absl::Time create_time;  // or of the last Renew()
  // Not written by the storage but put in an object's place by somebody: a
  // link, a FIFO, a device.
  bool is_foreign = false;
};

// An ObjectWriter takes the bytes of one object whose key need not be known
// before the end. Not thread-safe. Destroying it without Commit() leaves
// nothing behind.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;

  virtual absl::Status Append(absl::string_view bytes) = 0;

  // Makes the object durable under `key`. If the key exists the bytes written
  // are dropped and the old object stays: false. True if it is new. Call it
  // once, last.
  virtual absl::StatusOr<bool> CommitIfAbsent(absl::string_view key) = 0;
};

// An ObjectReader is an object opened for reading: it goes on giving the same
// bytes, also after the object was replaced or deleted. Thread-safe. The
// storage MUST outlive it.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;

  // Reads up to out.size() bytes from `offset` on and returns how many; fewer
  // only at the object's end, 0 beyond it.
  virtual absl::StatusOr<size_t> ReadAt(int64_t offset,
                                        absl::Span<char> out) const = 0;

  virtual int64_t size_bytes() const = 0;
};

// An object that CreateAll() is to make, and what became of it: true if it is
// new, false if there was one, which stays.
struct NewObject {
  std::string key;
  absl::string_view bytes;
  absl::StatusOr<bool> created = false;
};

// One page of a listing.
struct ObjectPage {
  std::vector<ObjectInfo> objects;    // ascending by key
  std::vector<std::string> prefixes;  // "directories", ending in '/'
  std::string next_token;             // empty on the last page
};

// Thread-safe.
class ObjectStorage {
 public:
  virtual ~ObjectStorage() = default;

  // Up to `limit` bytes from `offset` on; fewer only at the object's end.
  // NOT_FOUND if there is no such object, OUT_OF_RANGE if `offset` is past
  // its end, INVALID_ARGUMENT if one of the numbers is negative.
  virtual absl::StatusOr<std::string> Read(absl::string_view key,
                                           int64_t offset, int64_t limit) = 0;

  // NOT_FOUND if there is no such object.
  virtual absl::StatusOr<std::unique_ptr<ObjectReader>> OpenRead(
      absl::string_view key) = 0;

  // NOT_FOUND if there is no such object.
  virtual absl::StatusOr<ObjectInfo> Stat(absl::string_view key) = 0;

  // Starts an object that will get a key below `prefix`; the prefix only says
  // where its bytes may be staged.
  virtual absl::StatusOr<std::unique_ptr<ObjectWriter>> StartWrite(
      absl::string_view prefix) = 0;

  // Makes objects that are never rewritten. Each succeeds or fails alone, as by
  // an ObjectWriter; many small ones together are far cheaper.
  virtual void CreateAll(absl::Span<NewObject> objects) = 0;

  // Makes or replaces an object.
  virtual absl::Status Write(absl::string_view key,
                             absl::string_view bytes) = 0;

  // As Write(), but only if the object's bytes are `expected` (absent for
  // nullopt) at that moment. ABORTED, and nothing changed, if they are not. Of
  // several callers at once exactly one wins. Meant for small objects.
  virtual absl::Status CompareAndSwap(
      absl::string_view key, const std::optional<std::string>& expected,
      absl::string_view bytes) = 0;

  // Objects directly below `prefix` (which ends in '/') and the prefixes one
  // level down, at most `page_size` entries from `token` on (empty: from the
  // start). An unknown prefix is an empty page. A prefix whose last object was
  // deleted may go on being listed.
  virtual absl::StatusOr<ObjectPage> List(absl::string_view prefix,
                                          int page_size,
                                          absl::string_view token) = 0;

  // OK also if there is no such object.
  virtual absl::Status Delete(absl::string_view key) = 0;

  // As Delete() of each key, but for many keys together cheaper. After an error
  // some of them may be gone.
  virtual absl::Status DeleteAll(absl::Span<const std::string> keys) = 0;

  // Makes now the object's create_time. A crash may undo that. NOT_FOUND if
  // there is no such object.
  virtual absl::Status Renew(absl::string_view key) = 0;

  // Leaves nothing of `prefix`, which ends in '/', where there are no objects
  // below it; where there are, all of them stay. For prefixes that nobody
  // writes below meanwhile. What cannot be done now does no harm: best effort.
  virtual void DropEmpty(absl::string_view /*prefix*/) {}

  // True if objects are files that a person can read and edit.
  virtual bool KeepsFiles() const { return false; }

  // Where others can read the bytes of the object `key`, if there is one, past
  // this storage: a URL, for as long as the object is neither replaced nor
  // deleted. Empty for none, and for a malformed key. Does not look at the
  // object.
  virtual std::string UrlOf(absl::string_view /*key*/) const { return ""; }
};

// The whole object.
absl::StatusOr<std::string> ReadObject(ObjectStorage& storage,
                                       absl::string_view key);

// OK if `key` has the form the header describes.
absl::Status ValidateObjectKey(absl::string_view key);

// OK if `prefix` is a key and a '/'. Else INVALID_ARGUMENT for "prefix".
absl::Status ValidateObjectPrefix(absl::string_view prefix);

// OK unless an argument of List() is out of place; the field is "page_size" or
// "prefix".
absl::Status ValidateObjectPage(absl::string_view prefix, int page_size);

// The checks that every driver's Read() makes of its arguments.
absl::Status ValidateObjectRange(absl::string_view key, int64_t offset,
                                 int64_t limit);

// What Read() answers for an `offset` past the end of an object.
absl::Status PastObjectEnd(absl::string_view key, int64_t offset,
                           int64_t size_bytes);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_OBJECT_OBJECT_STORAGE_H_

// An IndexTable is one immutable object that says under which sequence numbers
// of a log the events of a key are. Keys are known by a 64-bit hash: whoever
// finds a number looks at the event, since two keys may share a hash.
//
// Format, version 3, all numbers little-endian, in pages of 4096 bytes:
//
//   page 0   "kinora-index-3\n"  padded with zeros to 16 bytes
//            first i64, last i64  the records of the log that it covers
//            entries u64
//            line_crc  8 bytes, the "crc32c" of the line of record `last`
//            zeros, up to byte 4092; crc32c u32 over all before
//   page n   255 entries of 16 bytes: hash u64, sequence i64; ascending by
//            hash, and of one hash the latest first. Unused ones are all ones.
//            page number u64, zeros u32, crc32c u32 over all before
//
// Earlier versions have the same bytes behind their first line, but lack
// entries: version 2 those of failures by their key, version 1 all of attempts
// that did not succeed.
//
// Tables are derived from the log: a missing, damaged or older one is made
// anew.

#ifndef KINORA_SERVICES_STORE_INDEX_INDEX_TABLE_H_
#define KINORA_SERVICES_STORE_INDEX_INDEX_TABLE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "services/store/object/object_storage.h"

namespace kinora {

inline constexpr size_t kIndexPageBytes = 4096;
inline constexpr size_t kIndexEntriesPerPage = 255;

struct IndexEntry {
  uint64_t hash = 0;
  int64_t sequence = 0;

  // By hash, and of one hash the latest first.
  friend bool operator<(const IndexEntry& a, const IndexEntry& b) {
    return a.hash != b.hash ? a.hash < b.hash : a.sequence > b.sequence;
  }
};

// The version that is written.
inline constexpr int kIndexVersion = 3;

// What a table covers.
struct IndexTableInfo {
  int64_t first_sequence = 0;
  int64_t last_sequence = 0;
  uint64_t entries = 0;
  std::string line_crc;  // of the last record, eight digits
  int version = kIndexVersion;

  uint64_t pages() const {
    return (entries + kIndexEntriesPerPage - 1) / kIndexEntriesPerPage;
  }
};

// An IndexTableWriter makes a table. Not thread-safe. Destroying it without
// Finish() leaves nothing behind.
class IndexTableWriter {
 public:
  // Starts a table of exactly `info.entries` entries; its object lies below
  // `prefix`.
  static absl::StatusOr<IndexTableWriter> Start(ObjectStorage& storage,
                                                absl::string_view prefix,
                                                const IndexTableInfo& info);

  // Takes the next entry. REQUIRES: not before the one taken last.
  absl::Status Add(const IndexEntry& entry);

  // Makes the table durable under `key`, in the place of any other.
  absl::Status Finish(absl::string_view key);

 private:
  IndexTableWriter(ObjectStorage& storage, std::unique_ptr<ObjectWriter> writer)
      : storage_(&storage), writer_(std::move(writer)) {}

  absl::Status EndPage();

  ObjectStorage* storage_;
  std::unique_ptr<ObjectWriter> writer_;
  std::string page_;
  uint64_t page_number_ = 1;
};

// Thread-compatible: const methods may run at once.
class IndexTable {
 public:
  // Reads what the table covers, of an older version as well. DATA_LOSS naming
  // the key if it is damaged or of a version not known.
  static absl::StatusOr<IndexTable> Open(ObjectStorage& storage,
                                         absl::string_view key);

  const std::string& key() const { return key_; }
  const IndexTableInfo& info() const { return info_; }

  // The entries of a page, counted from 0. DATA_LOSS naming key and page if
  // they are damaged.
  absl::StatusOr<std::vector<IndexEntry>> ReadPage(uint64_t page) const;

 private:
  IndexTable(ObjectStorage& storage, absl::string_view key)
      : storage_(&storage), key_(key) {}

  ObjectStorage* storage_;
  std::string key_;
  IndexTableInfo info_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_INDEX_INDEX_TABLE_H_

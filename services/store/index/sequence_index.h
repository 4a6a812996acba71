// A SequenceIndex says which records of one log hold a key, the latest first:
// tables (index_table.h) for what was saved, and memory for the tail after
// them. It is fed with the log's records in order.
//
// Tables are objects below `builds/<movie>/index/`:
//
//   <log>-<first>-<last>.index   both numbers with 19 digits
//
// Each covers a range of the log's records; together they cover it from its
// first record up to some point. Saving the tail makes a table, and tables of
// about the same size are merged, so that there are few of them and each entry
// is written a few times. A merged table is there before its parts go, so a
// crash at any point leaves tables that cover as much. What is damaged, of an
// older version or does not fit the log is dropped with a warning, and its part
// of the log is to be fed again.

#ifndef KINORA_SERVICES_STORE_INDEX_SEQUENCE_INDEX_H_
#define KINORA_SERVICES_STORE_INDEX_SEQUENCE_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "services/store/index/index_table.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// The hash of a key as tables hold it: the same on every machine, for ever.
uint64_t IndexHash(absl::string_view key);

// Not thread-safe.
class SequenceIndex {
 public:
  // `prefix` ends in '/'; `name` is the log's and has no '-'. `storage` MUST
  // outlive the index.
  SequenceIndex(ObjectStorage& storage, std::string prefix, std::string name)
      : storage_(storage), prefix_(std::move(prefix)), name_(std::move(name)) {}

  // Takes the tables there are, as far as they follow one another from the
  // log's oldest record, or one before it, on. `fits` says whether the log has
  // that record with that checksum; if not, all are dropped, as they are if
  // one is of an older version. After an error of `fits` all are there still,
  // and it is to be called again.
  absl::Status Open(int64_t oldest,
                    absl::FunctionRef<absl::StatusOr<bool>(
                        int64_t sequence, absl::string_view line_crc)>
                        fits);

  // The last record fed, and the last one that a table covers.
  int64_t through() const { return through_; }
  int64_t saved_through() const;
  size_t tables() const { return tables_.size(); }

  // Notes that the record `sequence` holds that key. REQUIRES: it is the next
  // to be covered.
  void Add(uint64_t hash, int64_t sequence);

  // All keys of the records up to `sequence` are noted. The first call tells
  // also where the log begins, `first`.
  void Advance(int64_t first, int64_t sequence, absl::string_view line_crc);

  // Hands the records under `hash` up to `through` to `visit`, the latest
  // first, until it returns false. ABORTED if a table is damaged: that one and
  // those after it are dropped, through() is lower, and the log from there on
  // is to be fed again. Errors of `visit` end it.
  absl::Status Visit(
      uint64_t hash, int64_t through,
      absl::FunctionRef<absl::StatusOr<bool>(int64_t sequence)> visit);

  // Writes the tail as a table and merges tables. ABORTED as of Visit().
  absl::Status Save();

 private:
  struct Table {
    IndexTable table;
    uint64_t id = 0;  // of its pages in the cache
  };
  using Page = std::shared_ptr<const std::vector<IndexEntry>>;
  struct TailEntry {
    IndexEntry entry;
    int64_t before = -1;  // the entry with the same hash before it
  };

  std::string KeyOf(int64_t first, int64_t last) const;
  absl::StatusOr<std::vector<IndexTableInfo>> ListTables();
  absl::Status DropFrom(size_t at, const absl::Status& reason);
  absl::StatusOr<Page> PageOf(const Table& table, uint64_t page);
  absl::StatusOr<uint64_t> LowerBoundPage(const Table& table,
                                          const IndexEntry& wanted);
  absl::Status VisitTable(
      const Table& table, const IndexEntry& wanted,
      absl::FunctionRef<absl::StatusOr<bool>(int64_t sequence)> visit,
      bool* more, absl::Status* visited);
  absl::Status AddTable(absl::string_view key);
  absl::Status MergeLastTwo();

  ObjectStorage& storage_;
  const std::string prefix_;
  const std::string name_;

  std::vector<Table> tables_;  // ascending
  uint64_t next_id_ = 0;
  int64_t through_ = 0;
  int64_t tail_first_ = 0;  // the first record the tail covers; 0: none
  std::string line_crc_;
  std::vector<TailEntry> tail_;
  absl::flat_hash_map<uint64_t, int64_t> latest_;  // in tail_, by hash
  absl::flat_hash_map<std::pair<uint64_t, uint64_t>, Page> pages_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_INDEX_SEQUENCE_INDEX_H_

// The batches of the journal: what one group commit writes, and the one place
// that knows their bytes. journal.h describes the format.

#ifndef KINORA_SERVICES_STORE_EVENT_JOURNAL_BATCH_H_
#define KINORA_SERVICES_STORE_EVENT_JOURNAL_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace kinora {

// The first line of every segment.
inline constexpr absl::string_view kJournalHeader = "kinora-journal-2\n";

// Each of the two edges of a batch.
inline constexpr size_t kJournalBatchEdgeBytes = 24;

// The `first_sequence` of a kRemoved whose files go only while the note of it
// is there (log_file_removal.h). Older stores wrote 0 and no note: their files
// go whatever they are.
inline constexpr int64_t kNotedRemoval = 1;

// One record of a batch, viewing into it.
struct JournalRecord {
  enum class Kind : uint8_t {
    // `lines` were appended to the log's live file at `offset`; the first one
    // has the sequence number `first_sequence`, the last one `last_sequence`
    // (0 in a journal of version 1, which does not tell).
    kLines = 1,
    // The live file holds, synced, all that was journaled for the log before
    // this; it may have been replaced since.
    kCheckpoint = 2,
    // The log was removed with all that was journaled for it before this;
    // `first_sequence` is kNotedRemoval.
    kRemoved = 3,
    // Here stood lines that are lost, with these sequence numbers; `offset` is
    // where they ended. Only mending writes it (journal_mending.h).
    kLost = 4,
  };

  Kind kind = Kind::kLines;
  absl::string_view log;
  uint64_t offset = 0;
  int64_t first_sequence = 0;
  int64_t last_sequence = 0;
  absl::string_view lines;

  // Of a record that was read: the checksum that its lines must have, and
  // whether they do not.
  uint32_t lines_crc32c = 0;
  bool damaged = false;
};

// Not thread-safe.
class JournalBatchBuilder {
 public:
  void Add(const JournalRecord& record);
  bool empty() const { return directory_.empty(); }

  // The finished batch, valid while the builder is. Call it once.
  absl::string_view Finish(uint64_t number);

 private:
  std::string directory_;
  std::string lines_;
  std::string batch_;
};

// What an edge of a batch tells.
struct JournalBatchHeader {
  uint64_t number = 0;
  uint32_t directory_bytes = 0;  // of one of the two
  uint32_t lines_bytes = 0;

  // Of the whole batch.
  uint64_t bytes() const {
    return 2 * (kJournalBatchEdgeBytes + uint64_t{directory_bytes}) +
           lines_bytes;
  }
};

// False if `bytes` do not begin with an intact front edge.
bool ParseJournalBatchHeader(absl::string_view bytes,
                             JournalBatchHeader* header);

// A batch as far as it can be believed.
struct JournalBatch {
  std::vector<JournalRecord> records;
  // Nothing of it is damaged, neither lines nor one of what is there twice.
  bool whole = false;
};

// Reads a batch that has the boundaries of `header`, of which one edge and one
// directory may be damaged. DATA_LOSS if no directory is intact, or if the one
// that is does not fit the batch: then another version wrote it.
// REQUIRES: header.bytes() bytes.
absl::StatusOr<JournalBatch> ParseJournalBatch(
    absl::string_view bytes, const JournalBatchHeader& header);

// The batch that `bytes` begin with, known by its front edge or, if that is
// damaged, by the other one; none if there is no such batch in all its length.
std::optional<JournalBatchHeader> FindJournalBatch(absl::string_view bytes);

// True if an edge of a batch that begins at `from` or behind it is anywhere in
// `bytes`: the proof that a batch before that was synced once.
bool ContainsLaterJournalBatch(absl::string_view bytes, uint64_t from);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_JOURNAL_BATCH_H_

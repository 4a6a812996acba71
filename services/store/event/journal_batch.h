// The batches of the journal: what one group commit writes, and the one place
// that knows their bytes. journal.h describes the format.

#ifndef KINORA_SERVICES_STORE_EVENT_JOURNAL_BATCH_H_
#define KINORA_SERVICES_STORE_EVENT_JOURNAL_BATCH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace kinora {

// The first line of every segment.
inline constexpr absl::string_view kJournalHeader = "kinora-journal-1\n";

// The fixed part of a batch, in front of its records.
inline constexpr size_t kJournalBatchHeaderBytes = 20;

// One record of a batch, viewing into it.
struct JournalRecord {
  enum class Kind : uint8_t {
    // `lines` were appended to the log's live file at `offset`; the first one
    // has the sequence number `first_sequence`.
    kLines = 1,
    // The live file holds, synced, all that was journaled for the log before
    // this; it may have been replaced since.
    kCheckpoint = 2,
    // The log was removed with all that was journaled for it before this.
    kRemoved = 3,
  };

  Kind kind = Kind::kLines;
  absl::string_view log;
  uint64_t offset = 0;
  int64_t first_sequence = 0;
  absl::string_view lines;
};

// Not thread-safe.
class JournalBatchBuilder {
 public:
  JournalBatchBuilder();

  void Add(const JournalRecord& record);
  bool empty() const { return bytes_.size() == kJournalBatchHeaderBytes; }

  // The finished batch, valid while the builder is. Call it once.
  absl::string_view Finish(uint64_t number);

 private:
  std::string bytes_;
};

// The fixed part as read from the disk.
struct JournalBatchHeader {
  uint64_t number = 0;
  uint32_t payload_bytes = 0;
  uint32_t crc32c = 0;
};

// False if these are not the first bytes of a batch. REQUIRES: at least
// kJournalBatchHeaderBytes bytes.
bool ParseJournalBatchHeader(absl::string_view bytes,
                             JournalBatchHeader* header);

// True if `bytes`, header and payload of a batch, have the header's checksum.
bool JournalBatchIsIntact(const JournalBatchHeader& header,
                          absl::string_view bytes);

// The records of a payload. DATA_LOSS if they do not fill it exactly, which in
// an intact batch means that another version wrote it.
absl::StatusOr<std::vector<JournalRecord>> ParseJournalRecords(
    absl::string_view payload);

// True if an intact batch with a number above `number` begins anywhere in
// `bytes`: the proof that a bad batch before it was complete once.
bool ContainsLaterJournalBatch(absl::string_view bytes, uint64_t number);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_JOURNAL_BATCH_H_

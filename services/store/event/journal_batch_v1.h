// The batches of version 1 of the journal, which are read and no longer
// written: a start after a crash of an older build finds them.
//
// A segment of version 1, all numbers little-endian:
//
//   "kinora-journal-1\n"
//   batch*:
//     magic          4 bytes FE FF F5 C0
//     payload_bytes  u32
//     number         u64, one more than the batch before, also across segments
//     crc32c         u32 over payload_bytes, number and payload
//     payload        record*:
//       kind            u8: 1 lines, 2 checkpoint, 3 removed (JournalRecord)
//       log_bytes       u32
//       line_bytes      u32
//       offset          u64, of the lines in the log's live file
//       first_sequence  i64
//       log             the log's key
//       lines           log lines, each with its '\n'
//
// One checksum covers a batch, so of a damaged one nothing can be believed, not
// even whose lines it held: nothing of it is mended.

#ifndef KINORA_SERVICES_STORE_EVENT_JOURNAL_BATCH_V1_H_
#define KINORA_SERVICES_STORE_EVENT_JOURNAL_BATCH_V1_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "services/store/event/journal_batch.h"

namespace kinora {

// The first line of a segment of version 1.
inline constexpr absl::string_view kJournalHeaderV1 = "kinora-journal-1\n";

// The fixed part of a batch, in front of its records.
inline constexpr size_t kJournalBatchHeaderBytesV1 = 20;

// The fixed part as read from the disk.
struct JournalBatchHeaderV1 {
  uint64_t number = 0;
  uint32_t payload_bytes = 0;
  uint32_t crc32c = 0;
};

// False if these are not the first bytes of a batch.
bool ParseJournalBatchHeaderV1(absl::string_view bytes,
                               JournalBatchHeaderV1* header);

// True if `bytes`, header and payload of a batch, have the header's checksum.
bool JournalBatchIsIntactV1(const JournalBatchHeaderV1& header,
                            absl::string_view bytes);

// The records of a payload. DATA_LOSS if they do not fill it exactly, which in
// an intact batch means that another version wrote it.
absl::StatusOr<std::vector<JournalRecord>> ParseJournalRecordsV1(
    absl::string_view payload);

// True if an intact batch with a number above `number` begins anywhere in
// `bytes`: the proof that a bad batch before it was complete once.
bool ContainsLaterJournalBatchV1(absl::string_view bytes, uint64_t number);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_JOURNAL_BATCH_V1_H_

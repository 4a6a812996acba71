// Batches of the journal. Any bytes are a batch or are refused; what was built
// reads as it was; a batch of which one byte has changed is not intact.

#include <cstring>
#include <string>
#include <vector>

#include "services/store/event/journal_batch.h"
#include "tests/fuzz/fuzz_target.h"

namespace kinora {
namespace {

bool IsIntact(absl::string_view bytes, JournalBatchHeader* header) {
  if (bytes.size() < kJournalBatchHeaderBytes) return false;
  if (!ParseJournalBatchHeader(bytes.substr(0, kJournalBatchHeaderBytes),
                               header)) {
    return false;
  }
  if (bytes.size() != kJournalBatchHeaderBytes + header->payload_bytes) {
    return false;
  }
  return JournalBatchIsIntact(*header, bytes);
}

// The input as records: each from a length and the kind in its first byte.
std::vector<JournalRecord> RecordsOf(absl::string_view input) {
  std::vector<JournalRecord> records;
  while (input.size() > 2) {
    const unsigned char length = static_cast<unsigned char>(input[0]);
    const absl::string_view piece = input.substr(1, length);
    JournalRecord record;
    record.log = piece.substr(0, piece.size() / 4);
    if (length % 3 == 0) {
      record.kind = JournalRecord::Kind::kCheckpoint;
    } else {
      record.offset = NumberOf(piece);
      record.first_sequence = static_cast<int64_t>(NumberOf(piece) % 1000 + 1);
      record.lines = piece.substr(piece.size() / 4);
    }
    records.push_back(record);
    input.remove_prefix(1 + piece.size());
  }
  return records;
}

void CheckBuilt(absl::string_view input) {
  const std::vector<JournalRecord> records = RecordsOf(input);
  JournalBatchBuilder builder;
  for (const JournalRecord& record : records) builder.Add(record);
  const uint64_t number = NumberOf(input);
  std::string bytes(builder.Finish(number));
  JournalBatchHeader header;
  FUZZ_CHECK(IsIntact(bytes, &header));
  FUZZ_CHECK(header.number == number);
  FUZZ_CHECK(ContainsLaterJournalBatch(bytes, number - 1) || number == 0);
  const auto parsed = ParseJournalRecords(
      absl::string_view(bytes).substr(kJournalBatchHeaderBytes));
  FUZZ_CHECK(parsed.ok() && parsed->size() == records.size());
  for (size_t i = 0; i < records.size(); ++i) {
    FUZZ_CHECK((*parsed)[i].kind == records[i].kind);
    FUZZ_CHECK((*parsed)[i].log == records[i].log);
    FUZZ_CHECK((*parsed)[i].lines == records[i].lines);
    FUZZ_CHECK((*parsed)[i].offset == records[i].offset);
  }
  const size_t place = NumberOf(bytes);
  bytes[place % bytes.size()] ^= static_cast<char>(1 + (place >> 20) % 255);
  FUZZ_CHECK(!IsIntact(bytes, &header));
}

}  // namespace
}  // namespace kinora

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kinora;  // NOLINT
  const absl::string_view input = FuzzInput(data, size);
  JournalBatchHeader header;
  if (IsIntact(input, &header)) {
    ParseJournalRecords(input.substr(kJournalBatchHeaderBytes))
        .status()
        .IgnoreError();
  }
  ParseJournalRecords(input).status().IgnoreError();
  ContainsLaterJournalBatch(input, NumberOf(input) % 4);
  CheckBuilt(input);
  return 0;
}

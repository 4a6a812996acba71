// Batches of the journal, of this version and the one before. Any bytes are a
// batch or are refused; what was built reads as it was; a batch of which one
// byte has changed is found all the same, is not whole, and has its records but
// for the lines that were hit.

#include <optional>
#include <string>
#include <vector>

#include "services/store/event/journal_batch.h"
#include "services/store/event/journal_batch_v1.h"
#include "tests/fuzz/fuzz_target.h"

namespace kinora {
namespace {

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
      record.last_sequence = record.first_sequence + length;
      record.lines = piece.substr(piece.size() / 4);
    }
    records.push_back(record);
    input.remove_prefix(1 + piece.size());
  }
  return records;
}

// The records are those built; at most so many have other lines, and say so.
void CheckRecords(const JournalBatch& batch,
                  const std::vector<JournalRecord>& built, int max_damaged) {
  FUZZ_CHECK(batch.records.size() == built.size());
  int damaged = 0;
  for (size_t i = 0; i < built.size(); ++i) {
    const JournalRecord& record = batch.records[i];
    FUZZ_CHECK(record.kind == built[i].kind);
    FUZZ_CHECK(record.log == built[i].log);
    FUZZ_CHECK(record.offset == built[i].offset);
    FUZZ_CHECK(record.first_sequence == built[i].first_sequence);
    FUZZ_CHECK(record.last_sequence == built[i].last_sequence);
    FUZZ_CHECK(record.lines.size() == built[i].lines.size());
    FUZZ_CHECK((record.lines == built[i].lines) == !record.damaged);
    damaged += record.damaged ? 1 : 0;
  }
  FUZZ_CHECK(damaged <= max_damaged);
}

void CheckBuilt(absl::string_view input) {
  const std::vector<JournalRecord> records = RecordsOf(input);
  JournalBatchBuilder builder;
  for (const JournalRecord& record : records) builder.Add(record);
  const uint64_t number = NumberOf(input);
  std::string bytes(builder.Finish(number));

  std::optional<JournalBatchHeader> header = FindJournalBatch(bytes);
  FUZZ_CHECK(header.has_value() && header->number == number);
  FUZZ_CHECK(header->bytes() == bytes.size());
  absl::StatusOr<JournalBatch> batch = ParseJournalBatch(bytes, *header);
  FUZZ_CHECK(batch.ok() && batch->whole);
  CheckRecords(*batch, records, 0);
  if (input.find("\xfe\xff\xf5") == absl::string_view::npos) {
    FUZZ_CHECK(!ContainsLaterJournalBatch(bytes, 1));
  }
  FUZZ_CHECK(ContainsLaterJournalBatch("x" + bytes, 1));

  const size_t place = NumberOf(bytes);
  bytes[place % bytes.size()] ^= static_cast<char>(1 + (place >> 20) % 255);
  header = FindJournalBatch(bytes);
  FUZZ_CHECK(header.has_value() && header->number == number);
  batch = ParseJournalBatch(bytes, *header);
  FUZZ_CHECK(batch.ok() && !batch->whole);
  CheckRecords(*batch, records, 1);
}

void ReadAny(absl::string_view input) {
  const std::optional<JournalBatchHeader> header = FindJournalBatch(input);
  if (header.has_value()) {
    ParseJournalBatch(input.substr(0, header->bytes()), *header)
        .status()
        .IgnoreError();
  }
  ContainsLaterJournalBatch(input, NumberOf(input) % 4);
}

void ReadAnyV1(absl::string_view input) {
  JournalBatchHeaderV1 header;
  if (ParseJournalBatchHeaderV1(input, &header)) {
    JournalBatchIsIntactV1(header, input);
  }
  ParseJournalRecordsV1(input).status().IgnoreError();
  ContainsLaterJournalBatchV1(input, NumberOf(input) % 4);
}

}  // namespace
}  // namespace kinora

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kinora;  // NOLINT
  const absl::string_view input = FuzzInput(data, size);
  ReadAny(input);
  ReadAnyV1(input);
  CheckBuilt(input);
  return 0;
}

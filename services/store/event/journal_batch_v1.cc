#include "services/store/event/journal_batch_v1.h"

#include "common/crc32c.h"
#include "services/store/event/little_endian.h"

namespace kinora {
namespace {

// No byte of it occurs in UTF-8, so no log line looks like a batch.
constexpr absl::string_view kMagic("\xfe\xff\xf5\xc0", 4);
constexpr size_t kLengthAt = 4, kNumberAt = 8, kCrcAt = 16;
constexpr size_t kRecordHeaderBytes = 1 + 4 + 4 + 8 + 8;

// Over length, number and payload: all but the magic and itself.
uint32_t BatchCrc(absl::string_view bytes) {
  return ExtendCrc32c(Crc32c(bytes.substr(kLengthAt, kCrcAt - kLengthAt)),
                      bytes.substr(kJournalBatchHeaderBytesV1));
}

}  // namespace

bool ParseJournalBatchHeaderV1(absl::string_view bytes,
                               JournalBatchHeaderV1* header) {
  if (bytes.size() < kJournalBatchHeaderBytesV1) return false;
  if (bytes.substr(0, kMagic.size()) != kMagic) return false;
  header->payload_bytes = GetLittleEndian<uint32_t>(&bytes[kLengthAt]);
  header->number = GetLittleEndian<uint64_t>(&bytes[kNumberAt]);
  header->crc32c = GetLittleEndian<uint32_t>(&bytes[kCrcAt]);
  return true;
}

bool JournalBatchIsIntactV1(const JournalBatchHeaderV1& header,
                            absl::string_view bytes) {
  return bytes.size() == kJournalBatchHeaderBytesV1 + header.payload_bytes &&
         BatchCrc(bytes) == header.crc32c;
}

absl::StatusOr<std::vector<JournalRecord>> ParseJournalRecordsV1(
    absl::string_view payload) {
  std::vector<JournalRecord> records;
  while (!payload.empty()) {
    if (payload.size() < kRecordHeaderBytes) {
      return absl::DataLossError("a record is cut short");
    }
    const char* fixed = payload.data();
    const uint8_t kind = GetLittleEndian<uint8_t>(fixed);
    const uint32_t log_bytes = GetLittleEndian<uint32_t>(fixed + 1);
    const uint32_t line_bytes = GetLittleEndian<uint32_t>(fixed + 5);
    JournalRecord record;
    record.offset = GetLittleEndian<uint64_t>(fixed + 9);
    record.first_sequence = GetLittleEndian<int64_t>(fixed + 17);
    payload.remove_prefix(kRecordHeaderBytes);
    if (payload.size() < uint64_t{log_bytes} + line_bytes) {
      return absl::DataLossError("a record is cut short");
    }
    if (kind < static_cast<uint8_t>(JournalRecord::Kind::kLines) ||
        kind > static_cast<uint8_t>(JournalRecord::Kind::kRemoved)) {
      return absl::DataLossError("a record of an unknown kind");
    }
    record.kind = static_cast<JournalRecord::Kind>(kind);
    record.log = payload.substr(0, log_bytes);
    record.lines = payload.substr(log_bytes, line_bytes);
    payload.remove_prefix(log_bytes + line_bytes);
    records.push_back(record);
  }
  return records;
}

bool ContainsLaterJournalBatchV1(absl::string_view bytes, uint64_t number) {
  for (size_t at = bytes.find(kMagic); at != absl::string_view::npos;
       at = bytes.find(kMagic, at + 1)) {
    const absl::string_view rest = bytes.substr(at);
    JournalBatchHeaderV1 header;
    if (!ParseJournalBatchHeaderV1(rest, &header)) continue;
    const uint64_t total =
        uint64_t{kJournalBatchHeaderBytesV1} + header.payload_bytes;
    if (header.number > number && rest.size() >= total &&
        JournalBatchIsIntactV1(header, rest.substr(0, total))) {
      return true;
    }
  }
  return false;
}

}  // namespace kinora

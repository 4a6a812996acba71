#include "services/store/event/journal_batch.h"

#include "common/crc32c.h"
#include "common/status.h"

namespace kinora {
namespace {

// No byte of it occurs in UTF-8, so no log line looks like a batch.
constexpr absl::string_view kMagic("\xfe\xff\xf5\xc0", 4);
constexpr size_t kLengthAt = 4, kNumberAt = 8, kCrcAt = 16;
constexpr size_t kRecordHeaderBytes = 1 + 4 + 4 + 8 + 8;

// Little-endian, whatever the machine.
template <typename T>
void Put(T value, char* out) {
  for (size_t i = 0; i < sizeof(T); ++i) {
    out[i] = static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
  }
}

template <typename T>
T Get(const char* bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    value |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return static_cast<T>(value);
}

template <typename T>
void Append(T value, std::string* out) {
  char bytes[sizeof(T)];
  Put(value, bytes);
  out->append(bytes, sizeof(T));
}

// Over length, number and payload: all but the magic and itself.
uint32_t BatchCrc(absl::string_view bytes) {
  return ExtendCrc32c(Crc32c(bytes.substr(kLengthAt, kCrcAt - kLengthAt)),
                      bytes.substr(kJournalBatchHeaderBytes));
}

}  // namespace

JournalBatchBuilder::JournalBatchBuilder()
    : bytes_(kJournalBatchHeaderBytes, '\0') {}

void JournalBatchBuilder::Add(const JournalRecord& record) {
  Append(static_cast<uint8_t>(record.kind), &bytes_);
  Append(static_cast<uint32_t>(record.log.size()), &bytes_);
  Append(static_cast<uint32_t>(record.lines.size()), &bytes_);
  Append(record.offset, &bytes_);
  Append(record.first_sequence, &bytes_);
  bytes_.append(record.log.data(), record.log.size());
  bytes_.append(record.lines.data(), record.lines.size());
}

absl::string_view JournalBatchBuilder::Finish(uint64_t number) {
  kMagic.copy(&bytes_[0], kMagic.size());
  Put(static_cast<uint32_t>(bytes_.size() - kJournalBatchHeaderBytes),
      &bytes_[kLengthAt]);
  Put(number, &bytes_[kNumberAt]);
  Put(BatchCrc(bytes_), &bytes_[kCrcAt]);
  return bytes_;
}

bool ParseJournalBatchHeader(absl::string_view bytes,
                             JournalBatchHeader* header) {
  if (bytes.substr(0, kMagic.size()) != kMagic) return false;
  header->payload_bytes = Get<uint32_t>(&bytes[kLengthAt]);
  header->number = Get<uint64_t>(&bytes[kNumberAt]);
  header->crc32c = Get<uint32_t>(&bytes[kCrcAt]);
  return true;
}

bool JournalBatchIsIntact(const JournalBatchHeader& header,
                          absl::string_view bytes) {
  return bytes.size() == kJournalBatchHeaderBytes + header.payload_bytes &&
         BatchCrc(bytes) == header.crc32c;
}

absl::StatusOr<std::vector<JournalRecord>> ParseJournalRecords(
    absl::string_view payload) {
  std::vector<JournalRecord> records;
  while (!payload.empty()) {
    if (payload.size() < kRecordHeaderBytes) {
      return absl::DataLossError("a record is cut short");
    }
    const char* fixed = payload.data();
    const uint8_t kind = Get<uint8_t>(fixed);
    const uint32_t log_bytes = Get<uint32_t>(fixed + 1);
    const uint32_t line_bytes = Get<uint32_t>(fixed + 5);
    JournalRecord record;
    record.offset = Get<uint64_t>(fixed + 9);
    record.first_sequence = Get<int64_t>(fixed + 17);
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

bool ContainsLaterJournalBatch(absl::string_view bytes, uint64_t number) {
  for (size_t at = bytes.find(kMagic); at != absl::string_view::npos;
       at = bytes.find(kMagic, at + 1)) {
    const absl::string_view rest = bytes.substr(at);
    JournalBatchHeader header;
    if (rest.size() < kJournalBatchHeaderBytes ||
        !ParseJournalBatchHeader(rest, &header)) {
      continue;
    }
    const uint64_t total =
        uint64_t{kJournalBatchHeaderBytes} + header.payload_bytes;
    if (header.number > number && rest.size() >= total &&
        JournalBatchIsIntact(header, rest.substr(0, total))) {
      return true;
    }
  }
  return false;
}

}  // namespace kinora

#include "services/store/event/journal_batch.h"

#include "absl/strings/match.h"

#include "common/crc32c.h"
#include "common/status.h"
#include "services/store/event/little_endian.h"

namespace kinora {
namespace {

// Their first two bytes are in no UTF-8, so no log line looks like an edge.
// They tell the version, too: batches of another one have other magics.
constexpr absl::string_view kFrontMagic("\xfe\xff\xf5\xc2", 4);
constexpr absl::string_view kEndMagic("\xfe\xff\xf5\xc3", 4);
constexpr size_t kMagicBytes = 4;
constexpr size_t kFieldBytes = 4 + 4 + 8;
constexpr size_t kCrcBytes = 4;
static_assert(kJournalBatchEdgeBytes == kMagicBytes + kFieldBytes + kCrcBytes);

constexpr size_t kEntryBytes = 1 + 4 + 4 + 8 + 8 + 8 + 4;

// The fields of an edge with their checksum; false if it is another one.
bool ParseEdgeFields(absl::string_view bytes, JournalBatchHeader* header) {
  if (Crc32c(bytes.substr(0, kFieldBytes)) !=
      GetLittleEndian<uint32_t>(&bytes[kFieldBytes])) {
    return false;
  }
  header->directory_bytes = GetLittleEndian<uint32_t>(&bytes[0]);
  header->lines_bytes = GetLittleEndian<uint32_t>(&bytes[4]);
  header->number = GetLittleEndian<uint64_t>(&bytes[8]);
  return true;
}

// The edge at the end of `bytes`.
bool ParseEndEdge(absl::string_view bytes, JournalBatchHeader* header) {
  if (bytes.size() < kJournalBatchEdgeBytes) return false;
  bytes.remove_prefix(bytes.size() - kJournalBatchEdgeBytes);
  return absl::EndsWith(bytes, kEndMagic) && ParseEdgeFields(bytes, header);
}

// A directory is that of one batch, by its number.
uint32_t DirectoryCrc(uint64_t number, absl::string_view entries) {
  std::string salt;
  AppendLittleEndian(number, &salt);
  return ExtendCrc32c(Crc32c(salt), entries);
}

bool DirectoryIsIntact(uint64_t number, absl::string_view directory) {
  if (directory.size() < kCrcBytes) return false;
  const size_t entries = directory.size() - kCrcBytes;
  return DirectoryCrc(number, directory.substr(0, entries)) ==
         GetLittleEndian<uint32_t>(&directory[entries]);
}

absl::StatusOr<std::vector<JournalRecord>> ParseRecords(
    absl::string_view entries, absl::string_view lines) {
  std::vector<JournalRecord> records;
  while (!entries.empty()) {
    if (entries.size() < kEntryBytes) {
      return absl::DataLossError("a record is cut short");
    }
    const char* fixed = entries.data();
    const uint8_t kind = GetLittleEndian<uint8_t>(fixed);
    const uint32_t log_bytes = GetLittleEndian<uint32_t>(fixed + 1);
    const uint32_t line_bytes = GetLittleEndian<uint32_t>(fixed + 5);
    JournalRecord record;
    record.offset = GetLittleEndian<uint64_t>(fixed + 9);
    record.first_sequence = GetLittleEndian<int64_t>(fixed + 17);
    record.last_sequence = GetLittleEndian<int64_t>(fixed + 25);
    record.lines_crc32c = GetLittleEndian<uint32_t>(fixed + 33);
    entries.remove_prefix(kEntryBytes);
    if (entries.size() < log_bytes || lines.size() < line_bytes) {
      return absl::DataLossError("a record is cut short");
    }
    if (kind < static_cast<uint8_t>(JournalRecord::Kind::kLines) ||
        kind > static_cast<uint8_t>(JournalRecord::Kind::kLost)) {
      return absl::DataLossError("a record of an unknown kind");
    }
    record.kind = static_cast<JournalRecord::Kind>(kind);
    record.log = entries.substr(0, log_bytes);
    record.lines = lines.substr(0, line_bytes);
    record.damaged = Crc32c(record.lines) != record.lines_crc32c;
    entries.remove_prefix(log_bytes);
    lines.remove_prefix(line_bytes);
    records.push_back(record);
  }
  if (!lines.empty()) return absl::DataLossError("lines of no record");
  return records;
}

}  // namespace

void JournalBatchBuilder::Add(const JournalRecord& record) {
  AppendLittleEndian(static_cast<uint8_t>(record.kind), &directory_);
  AppendLittleEndian(static_cast<uint32_t>(record.log.size()), &directory_);
  AppendLittleEndian(static_cast<uint32_t>(record.lines.size()), &directory_);
  AppendLittleEndian(record.offset, &directory_);
  AppendLittleEndian(record.first_sequence, &directory_);
  AppendLittleEndian(record.last_sequence, &directory_);
  AppendLittleEndian(Crc32c(record.lines), &directory_);
  directory_.append(record.log.data(), record.log.size());
  lines_.append(record.lines.data(), record.lines.size());
}

absl::string_view JournalBatchBuilder::Finish(uint64_t number) {
  AppendLittleEndian(DirectoryCrc(number, directory_), &directory_);
  std::string edge;
  AppendLittleEndian(static_cast<uint32_t>(directory_.size()), &edge);
  AppendLittleEndian(static_cast<uint32_t>(lines_.size()), &edge);
  AppendLittleEndian(number, &edge);
  AppendLittleEndian(Crc32c(edge), &edge);
  batch_.reserve(2 * (kJournalBatchEdgeBytes + directory_.size()) +
                 lines_.size());
  batch_.append(kFrontMagic.data(), kFrontMagic.size());
  batch_ += edge;
  batch_ += directory_;
  batch_ += lines_;
  batch_ += directory_;
  batch_ += edge;
  batch_.append(kEndMagic.data(), kEndMagic.size());
  return batch_;
}

bool ParseJournalBatchHeader(absl::string_view bytes,
                             JournalBatchHeader* header) {
  return bytes.size() >= kJournalBatchEdgeBytes &&
         absl::StartsWith(bytes, kFrontMagic) &&
         ParseEdgeFields(bytes.substr(kMagicBytes), header);
}

absl::StatusOr<JournalBatch> ParseJournalBatch(
    absl::string_view bytes, const JournalBatchHeader& header) {
  const absl::string_view inner = bytes.substr(
      kJournalBatchEdgeBytes, bytes.size() - 2 * kJournalBatchEdgeBytes);
  const absl::string_view first = inner.substr(0, header.directory_bytes);
  const absl::string_view second =
      inner.substr(first.size() + header.lines_bytes);
  const bool first_intact = DirectoryIsIntact(header.number, first);
  if (!first_intact && !DirectoryIsIntact(header.number, second)) {
    return absl::DataLossError("both directories of a batch are damaged");
  }
  const absl::string_view directory = first_intact ? first : second;
  JournalBatch batch;
  KINORA_ASSIGN_OR_RETURN(
      batch.records,
      ParseRecords(directory.substr(0, directory.size() - kCrcBytes),
                   inner.substr(first.size(), header.lines_bytes)));
  JournalBatchHeader front, end;
  batch.whole = first == second && ParseJournalBatchHeader(bytes, &front) &&
                ParseEndEdge(bytes, &end);
  for (const JournalRecord& record : batch.records) {
    batch.whole = batch.whole && !record.damaged;
  }
  return batch;
}

std::optional<JournalBatchHeader> FindJournalBatch(absl::string_view bytes) {
  JournalBatchHeader header;
  if (ParseJournalBatchHeader(bytes, &header)) {
    if (header.bytes() > bytes.size()) return std::nullopt;
    return header;
  }
  for (size_t at = bytes.find(kEndMagic); at != absl::string_view::npos;
       at = bytes.find(kEndMagic, at + 1)) {
    const size_t end = at + kMagicBytes;
    if (ParseEndEdge(bytes.substr(0, end), &header) && header.bytes() == end) {
      return header;
    }
  }
  return std::nullopt;
}

bool ContainsLaterJournalBatch(absl::string_view bytes, uint64_t from) {
  JournalBatchHeader header;
  for (size_t at = bytes.find(kFrontMagic, from); at != absl::string_view::npos;
       at = bytes.find(kFrontMagic, at + 1)) {
    if (ParseJournalBatchHeader(bytes.substr(at), &header)) return true;
  }
  for (size_t at = bytes.find(kEndMagic, from); at != absl::string_view::npos;
       at = bytes.find(kEndMagic, at + 1)) {
    const size_t end = at + kMagicBytes;
    if (ParseEndEdge(bytes.substr(0, end), &header) &&
        end >= from + header.bytes()) {
      return true;
    }
  }
  return false;
}

}  // namespace kinora

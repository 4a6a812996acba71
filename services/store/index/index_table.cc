#include "services/store/index/index_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/crc32c.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr absl::string_view kMagic("kinora-index-3\n\0", 16);
// Of the versions before, in order.
constexpr absl::string_view kEarlierMagics[] = {
    absl::string_view("kinora-index-1\n\0", 16),
    absl::string_view("kinora-index-2\n\0", 16)};
constexpr size_t kEntryBytes = 16;
constexpr size_t kCrcAt = kIndexPageBytes - 4;
constexpr size_t kNumberAt = kIndexEntriesPerPage * kEntryBytes;
constexpr size_t kLineCrcBytes = 8;
constexpr uint64_t kUnused = ~uint64_t{0};

template <typename T>
void Append(T value, std::string* out) {
  for (size_t i = 0; i < sizeof(T); ++i) {
    out->push_back(static_cast<char>(static_cast<uint64_t>(value) >> (8 * i)));
  }
}

template <typename T>
T Get(absl::string_view bytes, size_t at) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    value |= uint64_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  }
  return static_cast<T>(value);
}

// Ends a page with its checksum.
void Seal(std::string* page) {
  page->resize(kCrcAt, '\0');
  Append(Crc32c(*page), page);
}

bool IsIntact(absl::string_view page) {
  return page.size() == kIndexPageBytes &&
         Get<uint32_t>(page, kCrcAt) == Crc32c(page.substr(0, kCrcAt));
}

// 0 for one that is not known.
int VersionOf(absl::string_view magic) {
  if (magic == kMagic) return kIndexVersion;
  for (int version = 1; version < kIndexVersion; ++version) {
    if (magic == kEarlierMagics[version - 1]) return version;
  }
  return 0;
}

absl::Status Damaged(absl::string_view key, uint64_t page) {
  return absl::DataLossError(
      absl::StrCat(key, ", page ", page, ": the index is damaged"));
}

}  // namespace

absl::StatusOr<IndexTableWriter> IndexTableWriter::Start(
    ObjectStorage& storage, absl::string_view prefix,
    const IndexTableInfo& info) {
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<ObjectWriter> writer,
                          storage.StartWrite(prefix));
  std::string header(kMagic);
  Append(info.first_sequence, &header);
  Append(info.last_sequence, &header);
  Append(info.entries, &header);
  std::string line_crc = info.line_crc;
  line_crc.resize(kLineCrcBytes, '\0');
  header += line_crc;
  Seal(&header);
  KINORA_RETURN_IF_ERROR(writer->Append(header));
  return IndexTableWriter(storage, std::move(writer));
}

absl::Status IndexTableWriter::Add(const IndexEntry& entry) {
  page_.reserve(kIndexPageBytes);
  Append(entry.hash, &page_);
  Append(entry.sequence, &page_);
  return page_.size() == kNumberAt ? EndPage() : absl::OkStatus();
}

absl::Status IndexTableWriter::EndPage() {
  while (page_.size() < kNumberAt) Append(kUnused, &page_);
  Append(page_number_++, &page_);
  Seal(&page_);
  KINORA_RETURN_IF_ERROR(writer_->Append(page_));
  page_.clear();
  return absl::OkStatus();
}

absl::Status IndexTableWriter::Finish(absl::string_view key) {
  if (!page_.empty()) KINORA_RETURN_IF_ERROR(EndPage());
  KINORA_RETURN_IF_ERROR(storage_->Delete(key));
  return writer_->CommitIfAbsent(key).status();
}

absl::StatusOr<IndexTable> IndexTable::Open(ObjectStorage& storage,
                                            absl::string_view key) {
  IndexTable table(storage, key);
  KINORA_ASSIGN_OR_RETURN(const std::string header,
                          storage.Read(key, 0, kIndexPageBytes));
  if (!IsIntact(header)) return Damaged(key, 0);
  IndexTableInfo& info = table.info_;
  info.version = VersionOf(absl::string_view(header).substr(0, kMagic.size()));
  if (info.version == 0) return Damaged(key, 0);
  const size_t at = kMagic.size();
  info.first_sequence = Get<int64_t>(header, at);
  info.last_sequence = Get<int64_t>(header, at + 8);
  info.entries = Get<uint64_t>(header, at + 16);
  info.line_crc = header.substr(at + 24, kLineCrcBytes);
  KINORA_ASSIGN_OR_RETURN(const ObjectInfo object, storage.Stat(key));
  const uint64_t bytes = (info.pages() + 1) * kIndexPageBytes;
  if (static_cast<uint64_t>(object.size_bytes) != bytes) return Damaged(key, 0);
  return table;
}

absl::StatusOr<std::vector<IndexEntry>> IndexTable::ReadPage(
    uint64_t page) const {
  KINORA_ASSIGN_OR_RETURN(
      const std::string bytes,
      storage_->Read(key_, static_cast<int64_t>((page + 1) * kIndexPageBytes),
                     kIndexPageBytes));
  if (!IsIntact(bytes) || Get<uint64_t>(bytes, kNumberAt) != page + 1) {
    return Damaged(key_, page + 1);
  }
  const uint64_t count = std::min<uint64_t>(
      kIndexEntriesPerPage, info_.entries - page * kIndexEntriesPerPage);
  std::vector<IndexEntry> entries(count);
  for (size_t i = 0; i < count; ++i) {
    entries[i].hash = Get<uint64_t>(bytes, i * kEntryBytes);
    entries[i].sequence = Get<int64_t>(bytes, i * kEntryBytes + 8);
  }
  return entries;
}

}  // namespace kinora

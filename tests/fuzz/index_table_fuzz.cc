// Tables of an index. Any bytes are a table or are refused; what was written
// reads as it was; a page of which one byte has changed is refused.

#include <algorithm>
#include <string>
#include <vector>

#include "common/clock.h"
#include "services/store/index/index_table.h"
#include "services/store/object/memory_object_storage.h"
#include "tests/fuzz/fuzz_target.h"

namespace kinora {
namespace {

constexpr absl::string_view kPrefix = "builds/film/";
constexpr absl::string_view kKey = "builds/film/a.index";

// False if the table or one of its pages is refused.
bool ReadTable(ObjectStorage& storage, std::vector<IndexEntry>* entries) {
  const auto table = IndexTable::Open(storage, kKey);
  if (!table.ok()) return false;
  // More than the object can hold: the first page that is not there refuses.
  for (uint64_t page = 0; page < table->info().pages(); ++page) {
    const auto read = table->ReadPage(page);
    if (!read.ok()) return false;
    entries->insert(entries->end(), read->begin(), read->end());
  }
  return true;
}

// Eight bytes an entry.
std::vector<IndexEntry> EntriesOf(absl::string_view input) {
  std::vector<IndexEntry> entries;
  for (; input.size() >= 8; input.remove_prefix(8)) {
    const size_t number = NumberOf(input.substr(0, 8));
    entries.push_back({.hash = number >> (number % 48),
                       .sequence = static_cast<int64_t>(number % 1000 + 1)});
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

void CheckWritten(ObjectStorage& storage, absl::string_view input) {
  const std::vector<IndexEntry> entries = EntriesOf(input);
  IndexTableInfo info;
  info.first_sequence = 1;
  info.last_sequence = 1000;
  info.entries = entries.size();
  info.line_crc = "0a1b2c3d";
  auto writer = IndexTableWriter::Start(storage, kPrefix, info);
  FUZZ_CHECK(writer.ok());
  for (const IndexEntry& entry : entries) FUZZ_CHECK(writer->Add(entry).ok());
  FUZZ_CHECK(writer->Finish(kKey).ok());
  std::vector<IndexEntry> read;
  FUZZ_CHECK(ReadTable(storage, &read) && read.size() == entries.size());
  for (size_t i = 0; i < read.size(); ++i) {
    FUZZ_CHECK(read[i].hash == entries[i].hash &&
               read[i].sequence == entries[i].sequence);
  }
  auto bytes = ReadObject(storage, kKey);
  FUZZ_CHECK(bytes.ok());
  const size_t number = NumberOf(*bytes);
  (*bytes)[number % bytes->size()] ^=
      static_cast<char>(1 + (number >> 20) % 255);
  FUZZ_CHECK(storage.Write(kKey, *bytes).ok());
  FUZZ_CHECK(!ReadTable(storage, &read));
}

}  // namespace
}  // namespace kinora

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kinora;  // NOLINT
  const absl::string_view input = FuzzInput(data, size);
  MemoryObjectStorage storage(RealClock());
  FUZZ_CHECK(storage.Write(kKey, input).ok());
  std::vector<IndexEntry> entries;
  ReadTable(storage, &entries);
  CheckWritten(storage, input);
  return 0;
}

// Checkpoints of a movie's logs. Any bytes are a checkpoint or are refused;
// what was written reads as it was; one with a byte changed is refused.

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

#include "common/clock.h"
#include "services/store/checkpoint/revision_checkpoint.h"
#include "services/store/event/log_line.h"
#include "services/store/layout.h"
#include "services/store/object/memory_object_storage.h"
#include "tests/fuzz/fuzz_target.h"

namespace kinora {
namespace {

constexpr absl::string_view kMovie = "film";
constexpr absl::string_view kRevision = "rev-0003";
constexpr int64_t kAll = int64_t{1} << 40;

struct Kept {
  std::vector<LogRecord> inputs, artefacts;
};

// False if it is refused.
bool ReadCheckpoint(ObjectStorage& storage, Kept* kept) {
  const auto checkpoint = RevisionCheckpoint::OpenNewest(storage, kMovie);
  if (!checkpoint.ok() || *checkpoint == nullptr) return false;
  for (const v1::LogKind kind : {v1::LOG_KIND_INPUTS, v1::LOG_KIND_ARTEFACTS}) {
    auto records = (*checkpoint)->Read(kind, 0, kAll, kAll, kAll);
    if (!records.ok()) return false;
    (kind == v1::LOG_KIND_INPUTS ? kept->inputs : kept->artefacts) =
        *std::move(records);
  }
  return (*checkpoint)->Check().ok();
}

// Some bytes a record, with gaps between the numbers.
std::vector<LogRecord> RecordsOf(absl::string_view input) {
  std::vector<LogRecord> records;
  int64_t sequence = 0;
  for (; !input.empty();
       input.remove_prefix(std::min<size_t>(9, input.size()))) {
    const absl::string_view piece = input.substr(0, 9);
    sequence += 1 + static_cast<int64_t>(NumberOf(piece) % 3);
    LogRecord record{.sequence = sequence};
    AppendLogLine(
        sequence,
        absl::StrCat("{\"x\":\"", absl::BytesToHexString(piece), "\"}"),
        &record.line);
    record.line.pop_back();
    records.push_back(std::move(record));
  }
  return records;
}

bool Same(const std::vector<LogRecord>& a, const std::vector<LogRecord>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const LogRecord& one, const LogRecord& other) {
                      return one.sequence == other.sequence &&
                             one.line == other.line;
                    });
}

void CheckWritten(ObjectStorage& storage, absl::string_view input) {
  const Kept kept = {RecordsOf(input.substr(0, input.size() / 3)),
                     RecordsOf(input.substr(input.size() / 3))};
  CheckpointInfo info;
  info.revision = std::string(kRevision);
  info.inputs_through = kept.inputs.empty() ? 1 : kept.inputs.back().sequence;
  info.artefacts_through =
      kept.artefacts.empty() ? 1 : kept.artefacts.back().sequence;
  info.producer_totals = "{}";
  FUZZ_CHECK(WriteRevisionCheckpoint(storage, kMovie, info, kept.inputs,
                                     [&](auto keep) {
                                       absl::Status status;
                                       for (const LogRecord& r : kept.artefacts)
                                         status.Update(keep(r));
                                       return status;
                                     })
                 .ok());
  Kept read;
  FUZZ_CHECK(ReadCheckpoint(storage, &read));
  FUZZ_CHECK(Same(read.inputs, kept.inputs));
  FUZZ_CHECK(Same(read.artefacts, kept.artefacts));

  const size_t number = NumberOf(input);
  const std::string key = number % 2 == 0 || kept.artefacts.empty()
                              ? InputsCheckpointKey(kMovie, kRevision)
                              : ArtefactsCheckpointKey(kMovie, kRevision);
  auto bytes = ReadObject(storage, key);
  FUZZ_CHECK(bytes.ok());
  (*bytes)[(number >> 1) % bytes->size()] ^=
      static_cast<char>(1 + (number >> 30) % 255);
  FUZZ_CHECK(storage.Write(key, *bytes).ok());
  FUZZ_CHECK(!ReadCheckpoint(storage, &read));
}

}  // namespace
}  // namespace kinora

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kinora;  // NOLINT
  const absl::string_view input = FuzzInput(data, size);
  MemoryObjectStorage storage(RealClock());
  FUZZ_CHECK(storage.Write(InputsCheckpointKey(kMovie, kRevision), input).ok());
  FUZZ_CHECK(
      storage.Write(ArtefactsCheckpointKey(kMovie, kRevision), input).ok());
  Kept kept;
  ReadCheckpoint(storage, &kept);
  CheckWritten(storage, input);
  return 0;
}

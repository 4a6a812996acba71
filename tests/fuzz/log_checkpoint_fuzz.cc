// Checkpoints of log files. Any bytes are a checkpoint or are passed over; what
// was written reads as it was; one with a byte changed is passed over.

#include <memory>
#include <string>

#include "common/telemetry/log.h"
#include "common/testing/faulty_file_system.h"
#include "services/store/event/log_checkpoint.h"
#include "tests/fuzz/fuzz_target.h"

namespace kinora {
namespace {

constexpr absl::string_view kLog = "/events/inputs.log";

void Put(FileSystem& fs, absl::string_view bytes) {
  const auto file =
      fs.OpenForWrite(LogCheckpointPath(kLog), OpenMode::kTruncate);
  FUZZ_CHECK(file.ok() && (*file)->Append(bytes).ok() && (*file)->Close().ok());
}

void CheckWritten(FileSystem& fs, const LogPosition& end) {
  FUZZ_CHECK(WriteLogCheckpoint(fs, kLog, end).ok());
  const std::optional<LogPosition> read = ReadLogCheckpoint(fs, kLog);
  FUZZ_CHECK(read.has_value() && read->sequence == end.sequence &&
             read->offset == end.offset);
  auto bytes = ReadFile(fs, LogCheckpointPath(kLog));
  FUZZ_CHECK(bytes.ok());
  const size_t number = NumberOf(*bytes);
  (*bytes)[number % bytes->size()] ^=
      static_cast<char>(1 + (number >> 20) % 255);
  Put(fs, *bytes);
  FUZZ_CHECK(!ReadLogCheckpoint(fs, kLog).has_value());
}

}  // namespace
}  // namespace kinora

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kinora;  // NOLINT
  SetLogLevel(LogLevel::kOff);
  FaultyFileSystem fs;
  FUZZ_CHECK(fs.CreateDirectories("/events").ok());
  const absl::string_view input = FuzzInput(data, size);
  Put(fs, input);
  if (const auto end = ReadLogCheckpoint(fs, kLog); end.has_value()) {
    FUZZ_CHECK(end->sequence > 1);
    CheckWritten(fs, *end);
  }
  LogPosition end;
  end.sequence = static_cast<int64_t>(2 + NumberOf(input) % 1'000'000);
  end.offset = NumberOf(input) >> 7;
  CheckWritten(fs, end);
  return 0;
}

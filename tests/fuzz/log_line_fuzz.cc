// Lines of logs. What is accepted is exactly what is written; a line of which
// one byte has changed is refused.

#include <string>

#include "services/store/event/log_line.h"
#include "tests/fuzz/fuzz_target.h"

namespace kinora {
namespace {

constexpr absl::string_view kChecksum = ",\"crc32c\":\"00000000\"}";

// The body that an accepted line was made of.
std::string BodyOf(absl::string_view line) {
  const absl::string_view members =
      line.substr(0, line.size() - kChecksum.size());
  const size_t comma = members.find(',');
  if (comma == absl::string_view::npos) return "{}";
  return std::string("{") + std::string(members.substr(comma + 1)) + "}";
}

void CheckAccepted(int64_t sequence, absl::string_view line) {
  FUZZ_CHECK(sequence > 0);
  FUZZ_CHECK(CheckLogLineIs(sequence, line).ok());
  FUZZ_CHECK(!CheckLogLineIs(sequence + 1, line).ok());
  std::string printed;
  AppendLogLine(sequence, BodyOf(line), &printed);
  FUZZ_CHECK(printed == std::string(line) + "\n");
  std::string changed(line);
  const size_t number = NumberOf(line);
  const char flipped = static_cast<char>(1 + (number >> 20) % 255);
  changed[number % changed.size()] ^= flipped;
  FUZZ_CHECK(!CheckLogLine(changed).ok());
}

}  // namespace
}  // namespace kinora

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kinora;  // NOLINT
  const absl::string_view input = FuzzInput(data, size);
  const absl::StatusOr<int64_t> sequence = CheckLogLine(input);
  if (sequence.ok()) CheckAccepted(*sequence, input);
  if (!ValidateLogBody(input).ok()) return 0;
  const int64_t number = static_cast<int64_t>(1 + NumberOf(input) % 1000000);
  std::string line;
  AppendLogLine(number, input, &line);
  line.pop_back();
  const absl::StatusOr<int64_t> again = CheckLogLine(line);
  FUZZ_CHECK(again.ok() && *again == number);
  CheckAccepted(number, line);
  return 0;
}

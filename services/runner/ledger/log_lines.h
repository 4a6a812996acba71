// Log lines by position: a worker counts every line that it ever emitted, and
// sends lines with the count before the first of them, their offset.

#ifndef KINORA_SERVICES_RUNNER_LEDGER_LOG_LINES_H_
#define KINORA_SERVICES_RUNNER_LEDGER_LOG_LINES_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace kinora {

// What stands for a blank line where lines have positions: the reducer drops
// blank ones, which would shift the numbers of those behind (F: S2-72).
inline constexpr absl::string_view kBlankLogLine = "(blank log line)";

// The last lines that a worker has kept, and what it knows of all of them.
struct LogBuffer {
  std::vector<std::string> lines;
  double total_count = 0;  // lines ever emitted
  double sent_count = 0;   // of which so many were sent
};

struct LogSlice {
  std::vector<std::string> lines;
  double channel_offset = 0;
};

// What a worker is to send next: the lines of the buffer that were not sent.
// Where unsent lines have left the buffer, the offset is beyond what was sent,
// and whoever takes the slice sees the gap. nullopt if there is nothing to
// send. A negative count is 0, and a total below the lines there is theirs.
std::optional<LogSlice> UnsentLines(const LogBuffer& buffer);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_LEDGER_LOG_LINES_H_

#include "services/runner/ledger/log_lines.h"

#include <algorithm>
#include <cstddef>

namespace kinora {

std::optional<LogSlice> UnsentLines(const LogBuffer& buffer) {
  const double count = static_cast<double>(buffer.lines.size());
  const double total = std::max(buffer.total_count, count);
  const double sent = std::max(0.0, buffer.sent_count);
  if (buffer.lines.empty() || total <= sent) return std::nullopt;
  const double first = total - count;  // the position of the buffer's first
  LogSlice slice;
  slice.channel_offset = std::max(sent, first);
  // Counts beyond what a double holds exactly must not lead past the end.
  const double skipped = std::min(count, slice.channel_offset - first);
  slice.lines.assign(
      buffer.lines.begin() + static_cast<std::ptrdiff_t>(skipped),
      buffer.lines.end());
  return slice;
}

}  // namespace kinora

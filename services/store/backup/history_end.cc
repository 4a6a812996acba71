#include "services/store/backup/history_end.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"

namespace kinora {

absl::Status HistoryTrimmed(int64_t oldest) {
  return WithReason(
      absl::OutOfRangeError(absl::StrCat(
          "a checkpoint has removed that part of the movie's history: the "
          "oldest event left is ",
          oldest)),
      "LOG_TRIMMED", {{"oldest", absl::StrCat(oldest)}});
}

absl::Status CutExtent(int64_t through, LogExtent* extent) {
  if (extent->oldest_sequence > std::max<int64_t>(through, 1)) {
    return HistoryTrimmed(extent->oldest_sequence);
  }
  extent->last_sequence = std::min(extent->last_sequence, through);
  if (extent->last_sequence == 0) *extent = LogExtent();
  return absl::OkStatus();
}

}  // namespace kinora

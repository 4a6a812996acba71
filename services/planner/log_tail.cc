#include "services/planner/log_tail.h"

#include <algorithm>

#include "common/status.h"

namespace kinora {

absl::StatusOr<int64_t> FindLogTail(EventStore& events,
                                    const std::string& movie_id,
                                    const std::string& revision) {
  if (revision.empty()) return 0;
  v1::GetLogStatusRequest status;
  status.mutable_log()->set_movie_id(movie_id);
  status.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
  KINORA_ASSIGN_OR_RETURN(const v1::GetLogStatusResponse extent,
                          events.GetLogStatus(status));
  v1::ReadEventsRequest request;
  *request.mutable_log() = status.log();
  request.set_include_kept(true);
  request.set_since_revision(revision);
  request.set_limit(1);
  // Everything up to `low` is of the revision or older, everything after `high`
  // newer. Mostly there is no tail, so the last event comes first.
  int64_t low = 0;
  int64_t high = extent.last_sequence();
  int64_t middle = high - 1;
  while (low < high) {
    request.set_after_sequence(middle);
    const absl::StatusOr<v1::ReadEventsResponse> page =
        events.ReadPage(request);
    if (absl::IsOutOfRange(page.status())) {
      // What retention has removed is older than what is left.
      low = std::clamp(extent.oldest_sequence() - 1, middle + 1, high);
    } else {
      KINORA_RETURN_IF_ERROR(page.status());
      // What a checkpoint has not kept is passed over.
      if (page->events_size() > 0) {
        high = middle;
      } else {
        low = std::max(middle + 1, page->bookmark().sequence());
      }
    }
    middle = low + (high - low) / 2;
  }
  return low;
}

}  // namespace kinora

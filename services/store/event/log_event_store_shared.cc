// Pages that those who follow a log share.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "common/status.h"
#include "services/store/event/event_validator.h"
#include "services/store/event/log_event_store.h"
#include "services/store/layout.h"

namespace kinora {

absl::StatusOr<EventPagePtr> LogEventStore::ReadShared(
    const v1::ReadEventsRequest& request) {
  const v1::LogName& name = request.log();
  const int64_t after = request.after_sequence();
  const bool whole = request.limit() == 0 && request.since_revision().empty() &&
                     request.artefact_id().empty() && !request.include_kept();
  if (!whole || after < 0) return EventStore::ReadShared(request);
  KINORA_RETURN_IF_ERROR(ValidateLogName(name));
  KINORA_RETURN_IF_ERROR(movies_.Require(name.movie_id()));
  const std::string log = LogKeyOf(name);
  const absl::StatusOr<LogExtent> extent = events_.Extent(log);
  if (extent.ok() && after > 0 && after == extent->last_sequence) {
    // The end, where followers are most of the time.
    v1::ReadEventsResponse nothing;
    nothing.mutable_bookmark()->set_sequence(after);
    return std::make_shared<const EventPage>(std::move(nothing));
  }
  // Where there is nothing to share, reading tells why.
  if (!extent.ok() || after + 1 < extent->oldest_sequence ||
      after >= extent->last_sequence) {
    return EventStore::ReadShared(request);
  }
  return pages_.Get(log, after, [&] { return ReadPage(request); });
}

}  // namespace kinora

// Where the events after a revision begin in the artefact log.

#ifndef KINORA_SERVICES_PLANNER_LOG_TAIL_H_
#define KINORA_SERVICES_PLANNER_LOG_TAIL_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

#include "services/store/event/event_store.h"

namespace kinora {

// The last event of the artefact log that is of `revision` or older; 0 if
// `revision` is empty. Found by halving the log, since no event before a
// revision's commit is of a later one: what it costs does not grow with the
// log. Errors of the store.
absl::StatusOr<int64_t> FindLogTail(EventStore& events,
                                    const std::string& movie_id,
                                    const std::string& revision);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_LOG_TAIL_H_

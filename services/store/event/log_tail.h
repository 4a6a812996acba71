// Reads the events of a log beyond a point that the reader keeps.

#ifndef KINORA_SERVICES_STORE_EVENT_LOG_TAIL_H_
#define KINORA_SERVICES_STORE_EVENT_LOG_TAIL_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"
#include "services/store/event/event_log.h"

namespace kinora {

// Hands the events after `*at` to `take`, in order, and moves `*at` along; up
// to the log's end, or to `through` if that is not 0. Errors are those of
// EventLog::Read, EventFromRecord and `take`; `*at` is then the last event
// taken.
absl::Status ReadTail(EventLog& events, absl::string_view log, v1::LogKind kind,
                      int64_t through, int64_t* at,
                      absl::FunctionRef<absl::Status(v1::Event)> take);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_LOG_TAIL_H_

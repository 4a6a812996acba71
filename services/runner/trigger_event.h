// The event that set a run off, as its caller tells it.

#ifndef KINORA_SERVICES_RUNNER_TRIGGER_EVENT_H_
#define KINORA_SERVICES_RUNNER_TRIGGER_EVENT_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace kinora {

// OK for no text, and for a JSON object of at most 16 KiB whose `trace_id`, if
// it has one, is a string; else INVALID_ARGUMENT for `field`.
absl::Status ValidateTriggerEvent(absl::string_view field,
                                  absl::string_view json);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_TRIGGER_EVENT_H_

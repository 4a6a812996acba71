// Which errors say nothing of what was asked, only that it did not get through.

#ifndef KINORA_SERVICES_RUNNER_CALLS_PASSING_ERROR_H_
#define KINORA_SERVICES_RUNNER_CALLS_PASSING_ERROR_H_

#include "absl/status/status.h"

namespace kinora {

// True if a service was out of reach: down, too slow, or gone in the middle of
// the call.
inline bool IsOutage(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsCancelled(status);
}

// True for an error that another try may not meet: an outage, a server that
// refuses calls for now (RESOURCE_EXHAUSTED), or somebody who wrote meanwhile
// (ABORTED).
inline bool MayPass(const absl::Status& status) {
  return IsOutage(status) || absl::IsResourceExhausted(status) ||
         absl::IsAborted(status);
}

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_CALLS_PASSING_ERROR_H_

// Which errors say nothing of what was asked, only that it did not get through.

#ifndef KINORA_SERVICES_RUNNER_PASSING_ERROR_H_
#define KINORA_SERVICES_RUNNER_PASSING_ERROR_H_

#include "absl/status/status.h"

namespace kinora {

// True for an error that another try may not meet: a service that was down, or
// too slow, or went away in the middle of the call.
inline bool MayPass(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsCancelled(status);
}

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_PASSING_ERROR_H_

// Which errors say that a run's own files are damaged, and which that others
// are in its way.

#ifndef KINORA_SERVICES_RUNNER_RUN_DAMAGE_H_
#define KINORA_SERVICES_RUNNER_RUN_DAMAGE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/error_reason.h"

namespace kinora {

// True if what was to be read cannot be, whatever may be wrong with it.
inline bool IsUnreadable(const absl::Status& status) {
  return absl::IsDataLoss(status) || absl::IsPermissionDenied(status);
}

// For the run: `status` of something that it needs and that is not its own, as
// its movie's lease or the records of other runs. Where that is damaged it is
// FAILED_PRECONDITION with the same words: the run can be read, and goes on as
// soon as the other is mended.
inline absl::Status InTheWay(const absl::Status& status,
                             absl::string_view movie_id) {
  if (!IsUnreadable(status)) return status;
  return WithReason(absl::FailedPreconditionError(status.message()),
                    ReasonOf(status), {{"movie", movie_id}});
}

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RUN_DAMAGE_H_

// Why a run is not started, gone on with or asked for something, in the same
// words wherever that is found out.

#ifndef KINORA_SERVICES_RUNNER_RUN_REFUSALS_H_
#define KINORA_SERVICES_RUNNER_RUN_REFUSALS_H_

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "common/error_reason.h"

namespace kinora {

inline absl::Status RunActive(absl::string_view movie_id,
                              absl::string_view run_id) {
  return WithReason(
      absl::FailedPreconditionError(absl::StrCat("run ", run_id, " of movie \"",
                                                 movie_id, "\" is active")),
      "RUN_ACTIVE", {{"movie", movie_id}, {"run", run_id}});
}

inline absl::Status RunHasEnded(absl::string_view run_id) {
  return WithReason(absl::FailedPreconditionError(
                        absl::StrCat("run ", run_id, " has ended already")),
                    "RUN_TERMINAL", {{"run", run_id}});
}

// Of a run that its caller carries out, step by step.
inline absl::Status IsItsCallers(absl::string_view run_id,
                                 absl::string_view what) {
  return absl::FailedPreconditionError(
      absl::StrCat("run ", run_id, " is carried out step by step by its ",
                   "caller, who decides by itself: it ", what));
}

// Of a dry run that has ended.
inline absl::Status WasDry(absl::string_view run_id) {
  return absl::FailedPreconditionError(absl::StrCat(
      "run ", run_id, " was a dry run: nothing of it was written, ",
      "so there is nothing to go on with"));
}

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RUN_REFUSALS_H_

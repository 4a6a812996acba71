// A plan as people read it.

#ifndef KINORA_CLIENTS_CLI_PLAN_TEXT_H_
#define KINORA_CLIENTS_CLI_PLAN_TEXT_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "kinora/v1/plan.pb.h"
#include "kinora/v1/planner.pb.h"

namespace kinora {

// What a run of the plan would pay for though it is known to fail: a line that
// counts these jobs, then a line for each with why its latest attempt failed,
// at most `max_jobs` of them. Empty if there is none.
std::string KnownFailuresText(absl::Span<const v1::PlanLayer> layers,
                              size_t max_jobs);

// All of a plan, in lines: what fails again first, then the jobs by layer, each
// with its reason, what is reused, what leaves, warnings, and the plan in
// numbers.
std::string PlanText(absl::string_view movie_id, const v1::PlanHeader& header,
                     absl::Span<const v1::PlanLayer> layers);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_PLAN_TEXT_H_

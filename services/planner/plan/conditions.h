// Whether the value that a condition looks at lets it hold.

#ifndef KINORA_SERVICES_PLANNER_PLAN_CONDITIONS_H_
#define KINORA_SERVICES_PLANNER_PLAN_CONDITIONS_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/types.pb.h"
#include "services/planner/blueprint/blueprint.h"
#include "services/planner/plan/deciding_values.h"

namespace kinora {

// For the value in effect of one element of an input; null if it has none.
// FAILED_PRECONDITION (INPUT_MISSING) if there is none, or no number where one
// is needed.
absl::StatusOr<bool> InputHolds(const Condition& condition,
                                const InputDeclaration& input,
                                absl::string_view id, const v1::Content* value);

// For an artefact. FAILED_PRECONDITION (DECISION_INVALID) if the value cannot
// decide.
absl::StatusOr<bool> ArtefactHolds(const Condition& condition,
                                   absl::string_view id,
                                   const DecidingValue& value);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_CONDITIONS_H_

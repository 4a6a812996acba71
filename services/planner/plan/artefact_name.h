// Names of artefacts that people give.

#ifndef KINORA_SERVICES_PLANNER_PLAN_ARTEFACT_NAME_H_
#define KINORA_SERVICES_PLANNER_PLAN_ARTEFACT_NAME_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "services/planner/blueprint/blueprint.h"

namespace kinora {

// INVALID_ARGUMENT for `value` of `field`: the blueprint has no artefact called
// `name`. Names the one that is near.
absl::Status NoSuchArtefact(absl::string_view field, absl::string_view value,
                            const Blueprint& blueprint, absl::string_view name);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_ARTEFACT_NAME_H_

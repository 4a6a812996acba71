// Why a job reads or makes other things than before: the blueprint binds
// another thing, or other sizes make it more or less.

#ifndef KINORA_SERVICES_PLANNER_HISTORY_WIRING_CHANGES_H_
#define KINORA_SERVICES_PLANNER_HISTORY_WIRING_CHANGES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/element_id.h"
#include "services/planner/blueprint/blueprint.h"
#include "services/planner/history/place_changes.h"

namespace kinora {

// True if the two blueprints bind another thing to the slot, such as `text` or
// `clips/3`, of a node.
bool BindsOtherwise(const Blueprint& before, const Blueprint& now,
                    absl::string_view node, absl::string_view slot);

// What sizes the dimensions of all that the job of an artefact makes, and if
// that is as it was, of all that it reads: ids of those that have another
// value, at most `limit`.
absl::StatusOr<std::vector<std::string>> ChangedSizersOfJob(
    const ElementId& artefact, const RevisionState& before,
    const RevisionState& now, size_t limit, PlaceChanges* places);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_WIRING_CHANGES_H_

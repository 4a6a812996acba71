// The leaves that an artefact of a revision has.

#ifndef KINORA_SERVICES_PLANNER_HISTORY_LEAF_LIST_H_
#define KINORA_SERVICES_PLANNER_HISTORY_LEAF_LIST_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/element_id.h"
#include "kinora/v1/manifest.pb.h"
#include "kinora/v1/planner.pb.h"
#include "services/planner/blueprint/blueprint.h"

namespace kinora {

// Those that `manifest` holds of `whole`, by the blueprint's order and then by
// index; `blueprint` is the manifest's. A document never sizes a dimension of
// its own leaves, so what stands in it does not matter.
std::vector<v1::Leaf> LeavesOf(const Blueprint& blueprint,
                               const v1::Manifest& manifest,
                               const ElementId& whole);

// OK if `text` is JSON that holds a value for each of the leaves of `id`, else
// INVALID_ARGUMENT.
absl::Status CheckHoldsLeaves(absl::string_view id, absl::string_view text,
                              const std::vector<v1::Leaf>& leaves);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_LEAF_LIST_H_

// What changes of a key mean as reasons.

#ifndef KINORA_SERVICES_PLANNER_HISTORY_KEY_REASONS_H_
#define KINORA_SERVICES_PLANNER_HISTORY_KEY_REASONS_H_

#include <vector>

#include "absl/strings/string_view.h"

#include "kinora/v1/planner.pb.h"
#include "services/planner/history/change_reasons.h"
#include "services/planner/history/revision_state.h"

namespace kinora {

// Adds why a job of `node` has another key. Returns true if the blueprint is
// what says some of it: settings, salt, or what is bound to a slot.
bool AddKeyReasons(const std::vector<v1::KeyChange>& changes,
                   absl::string_view node, const RevisionState& before,
                   const RevisionState& now, ChangeReasons* reasons);

// What the manifests alone tell of a node, without events.
void AddNodeReasons(absl::string_view node, const RevisionState& before,
                    const RevisionState& now, ChangeReasons* reasons);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_KEY_REASONS_H_

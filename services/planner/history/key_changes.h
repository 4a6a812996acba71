// What differs between the keys of two results: component by component.

#ifndef KINORA_SERVICES_PLANNER_HISTORY_KEY_CHANGES_H_
#define KINORA_SERVICES_PLANNER_HISTORY_KEY_CHANGES_H_

#include <vector>

#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"
#include "kinora/v1/planner.pb.h"
#include "services/planner/history/revision_state.h"

namespace kinora {

// The components in which `now` differs from `before`, both succeeded events of
// one artefact: first what is bound, by slot, then producer, settings, salt and
// draw. The states tell which settings differ, as far as they know. At most
// 100;
// `*more` counts the rest.
std::vector<v1::KeyChange> KeyChanges(const v1::ArtefactEvent& before,
                                      const RevisionState& old_state,
                                      const v1::ArtefactEvent& now,
                                      const RevisionState& new_state,
                                      size_t* more);

// The settings that differ between two JSON objects, sorted by path:
// `voice.pitch` for a member of a member. One change without a name if either
// is empty or no object.
std::vector<v1::KeyChange> SettingChanges(absl::string_view before,
                                          absl::string_view now);

// `picture version "2"`.
std::string ProducerText(const v1::ProducerIdentity& producer);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_KEY_CHANGES_H_

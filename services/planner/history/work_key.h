// The key of work that was done before, as the blueprint stands now.

#ifndef KINORA_SERVICES_PLANNER_HISTORY_WORK_KEY_H_
#define KINORA_SERVICES_PLANNER_HISTORY_WORK_KEY_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"

#include "common/digest.h"
#include "kinora/v1/event.pb.h"
#include "services/planner/history/element_places.h"

namespace kinora {

// The key of a job that makes the artefact of `attempt` now, of the values that
// this read and by the version of the producer that made it: which one answers
// today is known to a runner alone. `draw` is the take that is wanted. It is
// the attempt's own key if nothing else has changed: settings, salt, outputs
// and bindings are those of the blueprint of `places`.
//
// Nullopt if that cannot be told: for a fan-in in groups, where sizes wait for
// a list, or of very many artefacts. A key of nothing, all zero, if the node is
// gone, is another producer's, does not take that version any more, or reads
// something else under one of its names. Errors are those of `places`.
absl::StatusOr<std::optional<Digest>> KeyNow(const v1::ArtefactEvent& attempt,
                                             uint32_t draw,
                                             ElementPlaces& places);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_WORK_KEY_H_

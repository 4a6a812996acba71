// Takes: draws of the same work. A draw is a number in the key of a job, 0
// unless the job's take input says another. That input is one of the system,
// which no blueprint declares:
//
//   Input:Take_Picture[segment=0]   an integer, for job Picture[segment=0]
//
// A re-roll sets it to the first draw that was never tried; choosing a take
// sets it to one that was made. As with any input, what it was before comes
// back by an edit or an undo, and then results are found by their key: nothing
// is drawn again.

#ifndef KINORA_SERVICES_PLANNER_PLAN_TAKES_H_
#define KINORA_SERVICES_PLANNER_PLAN_TAKES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/element_id.h"
#include "kinora/v1/types.pb.h"
#include "services/planner/blueprint/blueprint.h"

namespace kinora {

inline constexpr uint32_t kMaxDraw = 1'000'000;

// True for ids that begin as those of take inputs do, be there a job or not.
bool IsTakeId(absl::string_view id);

// The job whose take an input chooses: node and coordinates, as the id of the
// kind of inputs. Nullopt for an id that is no take input's.
std::optional<ElementId> JobOfTake(const ElementId& input);

// The take input of a job given in that way.
ElementId TakeOfJob(const ElementId& job);

// The same as text: `Input:Take_Picture[segment=0]` for `Picture[segment=0]`.
std::string TakeInputId(absl::string_view job_id);

// The job that makes an artefact, given in that way. INVALID_ARGUMENT names
// `field` if the blueprint has no artefact with such coordinates; whether it
// has them at the sizes of its dimensions is not looked at.
absl::StatusOr<ElementId> JobOfArtefact(absl::string_view field,
                                        const Blueprint& blueprint,
                                        const ElementId& artefact);

// What the blueprint would declare for the takes of a node.
InputDeclaration TakeDeclaration(const NodeDeclaration& node);

// The draw that a canonical value of such an input names. INVALID_ARGUMENT if
// it names none.
absl::StatusOr<uint32_t> DrawOf(const v1::Content& content);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_TAKES_H_

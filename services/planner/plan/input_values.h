// What the inputs of a movie are: the values set, over the blueprint's
// defaults.

#ifndef KINORA_SERVICES_PLANNER_PLAN_INPUT_VALUES_H_
#define KINORA_SERVICES_PLANNER_PLAN_INPUT_VALUES_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "kinora/v1/planner.pb.h"
#include "services/planner/blueprint/blueprint.h"

namespace kinora {

// The id under which the blueprint itself is pinned; no blueprint declares it.
inline constexpr absl::string_view kBlueprintInputId = "Input:Blueprint";

// Values that somebody set, by full id, without Input:Blueprint.
using InputMap = std::map<std::string, v1::Content>;

// The value in effect of one element of an input; null if there is none.
const v1::Content* EffectiveValue(const InputDeclaration& input,
                                  const std::string& id, const InputMap& set);

// FAILED_PRECONDITION (INPUT_MISSING) `id: why; set it: ...` with the command
// that sets an input of that type.
absl::Status InputMissing(const InputDeclaration& input, absl::string_view id,
                          absl::string_view why);

// Checks staged values against the blueprint and returns them as the log takes
// them: full ids and canonical content, in the order given. An index is checked
// against sizes that already follow from the edits; those that artefacts decide
// count as not known. INVALID_ARGUMENT (INVALID_FIELD) names the input and the
// value, and before them the edit's position in `field` of a request, unless
// that is empty; an id given twice is refused.
absl::StatusOr<std::vector<v1::PendingEdit>> CanonicalEdits(
    const Blueprint& blueprint, const InputMap& set, absl::string_view field,
    const google::protobuf::RepeatedPtrField<v1::PendingEdit>& edits);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_INPUT_VALUES_H_

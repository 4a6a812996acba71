// What values make of a blueprint: sizes of dimensions, and which jobs are
// active. Values are those of inputs, and those of deciding artefacts as far as
// they are known.

#ifndef KINORA_SERVICES_PLANNER_PLAN_GRAPH_SHAPE_H_
#define KINORA_SERVICES_PLANNER_PLAN_GRAPH_SHAPE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "services/planner/blueprint/blueprint.h"
#include "services/planner/graph/graph.h"
#include "services/planner/plan/deciding_values.h"
#include "services/planner/plan/input_values.h"

namespace kinora {

// The size of every dimension by inputs alone; sizes that artefacts decide are
// unknown. FAILED_PRECONDITION (INPUT_MISSING) names an input that is not set
// or whose value is no size; (BLUEPRINT_INVALID) if there are too many sizes.
absl::StatusOr<std::vector<DimensionExtent>> DimensionExtents(
    const Blueprint& blueprint, const InputMap& set);

// The shape. An artefact that no active job makes sizes its dimension with 0,
// and no condition on it holds. FAILED_PRECONDITION as above, also for an input
// that a condition looks at; (DECISION_INVALID) names an artefact whose value
// cannot decide.
absl::StatusOr<GraphShape> ShapeOf(const Blueprint& blueprint,
                                   const InputMap& set,
                                   const DecidingValues& values = {});

// The size that an input's value is; INPUT_MISSING if it is none.
absl::StatusOr<uint32_t> SizeFromValue(const InputDeclaration& input,
                                       absl::string_view id,
                                       const v1::Content& content);

// `Input:Count[segment=1]`: the element of an input or output at the given
// index in each of its dimensions; the reference's own indices do not matter.
std::string ElementIdAt(const Blueprint& blueprint, const Reference& element,
                        const std::vector<uint32_t>& index_of_dimension);

// BLUEPRINT_INVALID: more elements than a graph may have.
absl::Status TooManyValues(absl::string_view name);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_GRAPH_SHAPE_H_

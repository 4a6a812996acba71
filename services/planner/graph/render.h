// Draws a graph as text: jobs and inputs as boxes, an arrow for each value that
// goes from one to the other.

#ifndef KINORA_SERVICES_PLANNER_GRAPH_RENDER_H_
#define KINORA_SERVICES_PLANNER_GRAPH_RENDER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "kinora/v1/planner.pb.h"
#include "services/planner/graph/graph.h"

namespace kinora {

// INVALID_ARGUMENT (INVALID_FIELD) if the format is not set or unknown.
absl::Status CheckGraphFormat(v1::GraphFormat format);

// The drawing; the same graph gives the same text. FAILED_PRECONDITION
// (LIMIT_EXCEEDED) for more than 5,000 jobs or arrows, which nobody could look
// at.
absl::StatusOr<std::string> DrawGraph(const Graph& graph,
                                      v1::GraphFormat format);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_GRAPH_RENDER_H_

// Writes a drawing of a graph as text: DOT for Graphviz, a Mermaid flowchart,
// or SVG for any browser.

#ifndef KINORA_SERVICES_PLANNER_GRAPH_RENDER_H_
#define KINORA_SERVICES_PLANNER_GRAPH_RENDER_H_

#include <string>

#include "absl/status/status.h"

#include "kinora/v1/planner.pb.h"
#include "services/planner/graph/drawing.h"

namespace kinora {

// INVALID_ARGUMENT (INVALID_FIELD) if the format is not set or unknown.
absl::Status CheckGraphFormat(v1::GraphFormat format);

// The same drawing gives the same text. REQUIRES: CheckGraphFormat(format) is
// OK.
std::string Render(const Drawing& drawing, v1::GraphFormat format);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_GRAPH_RENDER_H_

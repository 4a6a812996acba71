// Draws a graph as SVG: columns from left to right, each box after all that
// lead to it.

#ifndef KINORA_SERVICES_PLANNER_GRAPH_SVG_DRAWING_H_
#define KINORA_SERVICES_PLANNER_GRAPH_SVG_DRAWING_H_

#include <string>

#include "services/planner/graph/drawing.h"

namespace kinora {

// An SVG document. Where arrows make a circle, one of them goes back to the
// left. The same drawing gives the same text.
std::string DrawSvg(const Drawing& drawing);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_GRAPH_SVG_DRAWING_H_

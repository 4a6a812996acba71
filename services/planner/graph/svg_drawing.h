// Draws boxes and arrows as SVG: columns from left to right, each box after all
// that lead to it.

#ifndef KINORA_SERVICES_PLANNER_GRAPH_SVG_DRAWING_H_
#define KINORA_SERVICES_PLANNER_GRAPH_SVG_DRAWING_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace kinora {

struct SvgBox {
  std::string label;
  bool is_round = false;
};

// An SVG document. Arrows go from box to box, by position, and make no cycle.
// The same boxes and arrows give the same text.
std::string DrawSvg(const std::vector<SvgBox>& boxes,
                    const std::vector<std::pair<size_t, size_t>>& arrows);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_GRAPH_SVG_DRAWING_H_

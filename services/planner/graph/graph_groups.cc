// The part of Graph that knows the groups of fan-ins.

#include <algorithm>

#include "services/planner/graph/element_walk.h"
#include "services/planner/graph/graph.h"

namespace kinora {

void Graph::AddGroupSpaces() {
  for (const NodeDeclaration& node : blueprint_->nodes) {
    for (const Binding& binding : node.bindings) {
      if (binding.group < 0 || group_space_.contains(binding.group)) continue;
      std::vector<int> dimensions =
          blueprint_->dimensions[binding.group].ancestors;
      dimensions.push_back(binding.group);
      group_space_[binding.group] = SpaceOf(dimensions);
    }
  }
}

ElementWalk Graph::GroupWalk(const NodeDeclaration& node,
                             const Binding& binding) const {
  const PointSpace& space = spaces_[group_space_.at(binding.group)];
  const std::vector<int>& target = TargetSpace(binding.from).dimensions();
  std::vector<ReferenceIndex> indices;
  for (int dimension : space.dimensions()) {
    const auto place = std::find(target.begin(), target.end(), dimension);
    indices.push_back(binding.from.indices[place - target.begin()]);
  }
  return ElementWalk(space, node.over, indices);
}

// As many groups as the dimension has indices, if that is known: one nested in
// a dimension that is run through has as many as there are elements for.
uint32_t Graph::NumberOfGroups(int node, Job job,
                               const Binding& binding) const {
  const PointSpace& space = spaces_[group_space_.at(binding.group)];
  const size_t last = space.depth() - 1;
  if (space.IsUniform(last)) return space.SizeAt(last, 0);
  const ElementWalk walk = GroupWalk(blueprint_->nodes[node], binding);
  const std::vector<uint32_t> own = JobPoint(node, job);
  uint32_t prefix = 0;
  for (size_t level = 0; level < last; ++level) {
    uint32_t index = 0;
    if (!walk.IndexAt(level, own, &index) ||
        index >= space.SizeAt(level, prefix)) {
      return 0;
    }
    prefix = space.Child(level, prefix, index);
  }
  return space.SizeAt(last, prefix);
}

std::vector<uint32_t> Graph::GroupSizes(int node, Job job,
                                        size_t binding) const {
  const Binding& read = blueprint_->nodes[node].bindings[binding];
  const PointSpace& space = TargetSpace(read.from);
  const std::vector<int>& dimensions = space.dimensions();
  const size_t place = static_cast<size_t>(
      std::find(dimensions.begin(), dimensions.end(), read.group) -
      dimensions.begin());
  std::vector<uint32_t> sizes(NumberOfGroups(node, job, read));
  const Element first = FirstOf(read.from);
  std::vector<uint32_t> point;
  for (Element source : Sources(node, job, binding)) {
    space.FillPoint(source - first, &point);
    const uint32_t index = point[place];
    if (index >= sizes.size()) sizes.resize(index + 1);
    ++sizes[index];
  }
  if (!read.order.empty() && read.order[0].descending) {
    std::reverse(sizes.begin(), sizes.end());
  }
  return sizes;
}

}  // namespace kinora

#include "services/planner/graph/point_space.h"

#include <algorithm>
#include <utility>

namespace kinora {

PointSpace::PointSpace(const Blueprint& blueprint,
                       const std::vector<DimensionExtent>& extents,
                       std::vector<int> dimensions)
    : dimensions_(std::move(dimensions)) {
  for (int dimension : dimensions_) {
    const DimensionExtent& extent = extents[dimension];
    if (extent.is_ragged) {
      if (!AddRaggedLevel(blueprint, extents, dimension)) return;
      if (!levels_.back().unknown.empty()) unknown_levels_ = levels_.size();
      continue;
    }
    levels_.emplace_back().size = extent.size;
    levels_.back().is_unknown = extent.is_unknown;
    if (extent.is_unknown) unknown_levels_ = levels_.size();
    // Sizes are below 2^20, so this stays in range.
    volume_ *= extent.size;
    if (volume_ > kMaxGraphElements) return;
  }
}

bool PointSpace::AddRaggedLevel(const Blueprint& blueprint,
                                const std::vector<DimensionExtent>& extents,
                                int dimension) {
  const std::vector<int>& ancestors = blueprint.dimensions[dimension].ancestors;
  const std::vector<uint32_t>& sizes = extents[dimension].sizes;
  const std::vector<bool>& unknown = extents[dimension].unknown;
  size_t depth = levels_.size();
  // If these dimensions are just the ancestors, points need no translation.
  bool same =
      depth == ancestors.size() &&
      std::equal(ancestors.begin(), ancestors.end(), dimensions_.begin());
  std::optional<PointSpace> above;
  if (!same) above.emplace(blueprint, extents, ancestors);
  Level level;
  level.begin.reserve(volume_ + 1);
  level.begin.push_back(0);
  uint64_t total = 0;
  std::vector<uint32_t> point;
  std::vector<uint32_t> indices;
  for (uint32_t prefix = 0; prefix < volume_; ++prefix) {
    uint32_t number = prefix;
    if (!same) {
      FillPrefix(depth, prefix, &point);
      indices.clear();
      for (int ancestor : ancestors) {
        size_t place =
            std::find(dimensions_.begin(), dimensions_.end(), ancestor) -
            dimensions_.begin();
        indices.push_back(point[place]);
      }
      number = *above->Number(indices);
    }
    total += sizes[number];
    if (!unknown.empty()) level.unknown.push_back(unknown[number]);
    if (total > kMaxGraphElements) break;
    level.begin.push_back(static_cast<uint32_t>(total));
  }
  volume_ = total;
  if (total > kMaxGraphElements) return false;
  levels_.push_back(std::move(level));
  return true;
}

void PointSpace::FillPrefix(size_t levels, uint32_t number,
                            std::vector<uint32_t>* point) const {
  point->resize(levels);
  for (size_t i = levels; i-- > 0;) {
    const Level& level = levels_[i];
    if (level.begin.empty()) {
      (*point)[i] = number % level.size;
      number /= level.size;
      continue;
    }
    auto next =
        std::upper_bound(level.begin.begin(), level.begin.end(), number);
    uint32_t prefix = static_cast<uint32_t>(next - level.begin.begin() - 1);
    (*point)[i] = number - level.begin[prefix];
    number = prefix;
  }
}

void PointSpace::FillPoint(uint32_t number,
                           std::vector<uint32_t>* point) const {
  FillPrefix(levels_.size(), number, point);
}

std::vector<uint32_t> PointSpace::Point(uint32_t number) const {
  std::vector<uint32_t> point;
  FillPoint(number, &point);
  return point;
}

std::optional<uint32_t> PointSpace::Number(
    absl::Span<const uint32_t> point) const {
  if (point.size() != levels_.size()) return std::nullopt;
  uint32_t number = 0;
  for (size_t i = 0; i < levels_.size(); ++i) {
    if (point[i] >= SizeAt(i, number)) return std::nullopt;
    number = Child(i, number, point[i]);
  }
  return number;
}

}  // namespace kinora

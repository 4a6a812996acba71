// A PointSpace numbers the points of a list of dimensions, the last one
// fastest. A nested dimension may have another size at each point of those it
// is nested in, so a space may be ragged; then it keeps, for each of the
// points before that dimension, where the numbers below it begin.

#ifndef KINORA_SERVICES_PLANNER_GRAPH_POINT_SPACE_H_
#define KINORA_SERVICES_PLANNER_GRAPH_POINT_SPACE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"

#include "services/planner/blueprint/blueprint.h"

namespace kinora {

// The most a blueprint may expand to; a plan is held in memory.
inline constexpr uint64_t kMaxGraphElements = 4000000;

// The size of one dimension.
struct DimensionExtent {
  DimensionExtent() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): most are just a number.
  DimensionExtent(uint32_t uniform) : size(uniform) {}

  uint32_t size = 0;  // if `sizes` is empty
  // A size for each point of the dimensions it is nested in.
  std::vector<uint32_t> sizes;
  bool is_ragged = false;  // `sizes` holds, even if it is empty
  // Not known before an artefact has landed: the size is 0 so far. All of them,
  // or some of the points of `sizes`; that one is empty if all are known.
  bool is_unknown = false;
  std::vector<bool> unknown;

  bool HasUnknown() const { return is_unknown || !unknown.empty(); }

  friend bool operator==(const DimensionExtent&,
                         const DimensionExtent&) = default;
};

// Immutable, hence thread-safe.
class PointSpace {
 public:
  // `dimensions` are ascending and hold, with a dimension, those it is nested
  // in. `extents` has those of these dimensions at least. A space of more than
  // kMaxGraphElements points has a volume above that and no points.
  PointSpace(const Blueprint& blueprint,
             const std::vector<DimensionExtent>& extents,
             std::vector<int> dimensions);

  const std::vector<int>& dimensions() const { return dimensions_; }
  size_t depth() const { return dimensions_.size(); }
  uint64_t volume() const { return volume_; }

  // How many indices dimension `level` has after the point `prefix` of the
  // dimensions before it, and the number of the point that is one longer.
  uint32_t SizeAt(size_t level, uint32_t prefix) const {
    const Level& at = levels_[level];
    return at.begin.empty() ? at.size : at.begin[prefix + 1] - at.begin[prefix];
  }
  uint32_t Child(size_t level, uint32_t prefix, uint32_t index) const {
    const Level& at = levels_[level];
    return index + (at.begin.empty() ? prefix * at.size : at.begin[prefix]);
  }
  // True if the size is the same everywhere.
  bool IsUniform(size_t level) const { return levels_[level].begin.empty(); }

  // True if some size is not known yet, and whether that after the point
  // `prefix` is.
  bool HasUnknown() const { return unknown_levels_ > 0; }
  bool IsUnknownAt(size_t level, uint32_t prefix) const {
    if (level >= unknown_levels_) return false;
    const Level& at = levels_[level];
    return at.is_unknown || (!at.unknown.empty() && at.unknown[prefix]);
  }

  // The coordinates of a point. REQUIRES: number < volume().
  void FillPoint(uint32_t number, std::vector<uint32_t>* point) const;
  std::vector<uint32_t> Point(uint32_t number) const;
  // The number of a point; nullopt if it is outside.
  std::optional<uint32_t> Number(absl::Span<const uint32_t> point) const;

 private:
  struct Level {
    uint32_t size = 0;            // if `begin` is empty
    std::vector<uint32_t> begin;  // by prefix; one more for the end
    bool is_unknown = false;
    std::vector<bool> unknown;  // by prefix; empty if all are known
  };

  void FillPrefix(size_t levels, uint32_t number,
                  std::vector<uint32_t>* point) const;
  bool AddRaggedLevel(const Blueprint& blueprint,
                      const std::vector<DimensionExtent>& extents,
                      int dimension);

  std::vector<int> dimensions_;
  std::vector<Level> levels_;
  uint64_t volume_ = 1;
  size_t unknown_levels_ = 0;  // levels up to the last one with such sizes
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_GRAPH_POINT_SPACE_H_

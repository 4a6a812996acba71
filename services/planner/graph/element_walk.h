// An ElementWalk finds what a reference means for one job: the numbers of the
// target's points, in order.

#ifndef KINORA_SERVICES_PLANNER_GRAPH_ELEMENT_WALK_H_
#define KINORA_SERVICES_PLANNER_GRAPH_ELEMENT_WALK_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

#include "services/planner/blueprint/blueprint.h"
#include "services/planner/graph/point_space.h"

namespace kinora {

// Immutable, hence thread-safe.
class ElementWalk {
 public:
  // `own` are the dimensions of the node that reads. An index is the job's own
  // with its offset, a constant, or runs through the dimension. Without
  // `indices` every index is the job's own or runs. `space` MUST outlive this.
  ElementWalk(const PointSpace& space, const std::vector<int>& own,
              absl::Span<const ReferenceIndex> indices);

  // Appends `first` plus the number of each point the job at `point` means;
  // points outside the space are left out.
  void Append(uint32_t first, absl::Span<const uint32_t> point,
              std::vector<uint32_t>* out) const {
    Walk(0, 0, first, point, out);
  }

  // True if what it means for the job at `point` hangs on a size that is not
  // known yet.
  bool MeetsUnknown(absl::Span<const uint32_t> point) const {
    return space_.HasUnknown() && MeetsUnknownFrom(0, 0, point);
  }

  // How many it runs through in dimensions whose size is the same everywhere.
  uint64_t uniform_count() const { return uniform_count_; }

  // The index in dimension `level` for the job at `point`. False if it runs
  // through or is below 0.
  bool IndexAt(size_t level, absl::Span<const uint32_t> point,
               uint32_t* index) const;

 private:
  struct Selector {
    enum class Kind : uint8_t { kConstant, kOwn, kRange };
    Kind kind = Kind::kRange;
    uint32_t value = 0;  // the constant, or the place among the node's own
    int32_t offset = 0;
  };

  void Walk(size_t level, uint32_t prefix, uint32_t first,
            absl::Span<const uint32_t> point, std::vector<uint32_t>* out) const;

  bool MeetsUnknownFrom(size_t level, uint32_t prefix,
                        absl::Span<const uint32_t> point) const;

  const PointSpace& space_;
  std::vector<Selector> selectors_;
  uint64_t uniform_count_ = 1;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_GRAPH_ELEMENT_WALK_H_

#include "services/planner/graph/element_walk.h"

#include <algorithm>

namespace kinora {

ElementWalk::ElementWalk(const PointSpace& space, const std::vector<int>& own,
                         absl::Span<const ReferenceIndex> indices)
    : space_(space) {
  for (size_t i = 0; i < space.depth(); ++i) {
    Selector& selector = selectors_.emplace_back();
    if (!indices.empty() && indices[i].is_constant) {
      selector.kind = Selector::Kind::kConstant;
      selector.value = indices[i].constant;
      continue;
    }
    auto found = std::find(own.begin(), own.end(), space.dimensions()[i]);
    if (found != own.end()) {
      selector.kind = Selector::Kind::kOwn;
      selector.value = static_cast<uint32_t>(found - own.begin());
      if (!indices.empty()) selector.offset = indices[i].offset;
    } else if (space.IsUniform(i)) {
      // Sizes are below 2^20, so saturating here keeps products in range.
      uniform_count_ =
          std::min(uniform_count_ * space.SizeAt(i, 0), uint64_t{1} << 40);
    }
  }
}

bool ElementWalk::IndexAt(size_t level, absl::Span<const uint32_t> point,
                          uint32_t* index) const {
  const Selector& selector = selectors_[level];
  switch (selector.kind) {
    case Selector::Kind::kConstant:
      *index = selector.value;
      return true;
    case Selector::Kind::kOwn: {
      int64_t at = int64_t{point[selector.value]} + selector.offset;
      *index = static_cast<uint32_t>(at);
      return at >= 0;
    }
    case Selector::Kind::kRange:
      break;
  }
  return false;
}

void ElementWalk::Walk(size_t level, uint32_t prefix, uint32_t first,
                       absl::Span<const uint32_t> point,
                       std::vector<uint32_t>* out) const {
  for (; level < selectors_.size(); ++level) {
    uint32_t size = space_.SizeAt(level, prefix);
    if (selectors_[level].kind == Selector::Kind::kRange) {
      bool is_last = level + 1 == selectors_.size();
      for (uint32_t i = 0; i < size; ++i) {
        uint32_t child = space_.Child(level, prefix, i);
        if (is_last) {
          out->push_back(first + child);
        } else {
          Walk(level + 1, child, first, point, out);
        }
      }
      return;
    }
    uint32_t index = 0;
    if (!IndexAt(level, point, &index) || index >= size) return;
    prefix = space_.Child(level, prefix, index);
  }
  out->push_back(first + prefix);
}

bool ElementWalk::MeetsUnknownFrom(size_t level, uint32_t prefix,
                                   absl::Span<const uint32_t> point) const {
  for (; level < selectors_.size(); ++level) {
    if (space_.IsUnknownAt(level, prefix)) return true;
    const uint32_t size = space_.SizeAt(level, prefix);
    if (selectors_[level].kind == Selector::Kind::kRange) {
      for (uint32_t i = 0; i < size; ++i) {
        if (MeetsUnknownFrom(level + 1, space_.Child(level, prefix, i),
                             point)) {
          return true;
        }
      }
      return false;
    }
    uint32_t index = 0;
    if (!IndexAt(level, point, &index) || index >= size) return false;
    prefix = space_.Child(level, prefix, index);
  }
  return false;
}

}  // namespace kinora

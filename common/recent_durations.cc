#include "common/recent_durations.h"

#include <algorithm>

namespace kinora {

void RecentDurations::Add(absl::Duration took) {
  latest_[static_cast<size_t>(count_) % kKept] =
      std::max(took, absl::ZeroDuration());
  ++count_;
}

std::optional<absl::Duration> RecentDurations::Median() const {
  if (count_ == 0) return std::nullopt;
  std::array<absl::Duration, kKept> sorted = latest_;
  const auto end = sorted.begin() + std::min<int64_t>(count_, kKept);
  const auto middle = sorted.begin() + (end - sorted.begin() - 1) / 2;
  std::nth_element(sorted.begin(), middle, end);
  return *middle;
}

}  // namespace kinora

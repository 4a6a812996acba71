#include "common/job_durations.h"

#include <algorithm>
#include <vector>

namespace kinora {

void JobDurations::Record(absl::string_view producer, absl::Duration median) {
  producers_[producer].recorded = std::max(median, absl::ZeroDuration());
}

void JobDurations::Add(absl::string_view producer, absl::Duration took) {
  producers_[producer].seen.Add(took);
}

std::optional<absl::Duration> JobDurations::Known::Likely() const {
  if (recorded.has_value() && seen.count() < kEnoughSeen) return recorded;
  return seen.Median();
}

std::optional<absl::Duration> JobDurations::Of(
    absl::string_view producer) const {
  const auto known = producers_.find(producer);
  if (known == producers_.end()) return std::nullopt;
  return known->second.Likely();
}

absl::Duration JobDurations::Typical() const {
  std::vector<absl::Duration> likely;
  for (const auto& known : producers_) {
    if (const auto one = known.second.Likely(); one.has_value()) {
      likely.push_back(*one);
    }
  }
  if (likely.empty()) return absl::Seconds(1);
  const auto middle =
      likely.begin() + (static_cast<int64_t>(likely.size()) - 1) / 2;
  std::nth_element(likely.begin(), middle, likely.end());
  return *middle;
}

}  // namespace kinora

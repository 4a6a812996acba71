// RecentDurations says how long something of late has taken: the median of the
// latest durations. One call that took an hour, or none at all, does not move
// it; a provider that has become slower does, after a while.

#ifndef KINORA_COMMON_RECENT_DURATIONS_H_
#define KINORA_COMMON_RECENT_DURATIONS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/time/time.h"

namespace kinora {

// Of fixed size; copying it is cheap. Not thread-safe.
class RecentDurations {
 public:
  // Enough for a few that are far off, and few enough to follow a change.
  static constexpr size_t kKept = 31;

  // Negative ones count as none at all.
  void Add(absl::Duration took);

  // How many were added.
  int64_t count() const { return count_; }

  // The median of the latest kKept, of an even number the lower of the two in
  // the middle; unset if there is none.
  std::optional<absl::Duration> Median() const;

 private:
  std::array<absl::Duration, kKept> latest_{};
  int64_t count_ = 0;
};

}  // namespace kinora

#endif  // KINORA_COMMON_RECENT_DURATIONS_H_

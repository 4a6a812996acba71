// JobDurations says how long a job of each producer is likely to take: by what
// a run itself has seen of late, else by what was recorded before.

#ifndef KINORA_COMMON_JOB_DURATIONS_H_
#define KINORA_COMMON_JOB_DURATIONS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/recent_durations.h"

namespace kinora {

// Not thread-safe.
class JobDurations {
 public:
  // So many calls of a run say more than what was recorded before it.
  static constexpr int64_t kEnoughSeen = 5;

  // What calls of the producer took before this run.
  void Record(absl::string_view producer, absl::Duration median);

  // A call of this run has succeeded.
  void Add(absl::string_view producer, absl::Duration took);

  // Unset if nothing is known of the producer.
  std::optional<absl::Duration> Of(absl::string_view producer) const;

  // What a producer counts as of which nothing is known: the median of those
  // that are known, the lower of two; a second if none is. Costs as much as
  // there are producers.
  absl::Duration Typical() const;

 private:
  struct Known {
    std::optional<absl::Duration> recorded;
    RecentDurations seen;

    std::optional<absl::Duration> Likely() const;
  };

  absl::flat_hash_map<std::string, Known> producers_;
};

}  // namespace kinora

#endif  // KINORA_COMMON_JOB_DURATIONS_H_

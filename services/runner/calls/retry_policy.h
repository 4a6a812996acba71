// When and how often a failed attempt is made again.

#ifndef KINORA_SERVICES_RUNNER_CALLS_RETRY_POLICY_H_
#define KINORA_SERVICES_RUNNER_CALLS_RETRY_POLICY_H_

#include <cstdint>

#include "absl/time/time.h"

#include "common/random.h"
#include "kinora/v1/types.pb.h"

namespace kinora {

// Exponential backoff: before attempt n + 1 at most `initial` * 2^(n-1), and
// never more than `longest`.
struct RetryPolicy {
  absl::Duration initial = absl::Milliseconds(500);
  absl::Duration longest = absl::Seconds(30);
};

// True if `failure` of attempt `attempt` (from 1) is worth another one.
bool ShouldRetry(const v1::Failure& failure, uint32_t attempt,
                 uint32_t max_attempts);

// How long the provider behind `failure` asks not to be called, at most
// kLongestRetryAfter; zero if it does not say.
inline constexpr absl::Duration kLongestRetryAfter = absl::Hours(1);
absl::Duration RetryAfter(const v1::Failure& failure);

// How long to wait after attempt `attempt` (from 1) failed: uniformly between
// nothing and the backoff ("full jitter"). Jobs that failed together because a
// provider fell over thus do not all come back at the same moment.
absl::Duration RetryDelay(const RetryPolicy& policy, uint32_t attempt,
                          Random& random);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_CALLS_RETRY_POLICY_H_

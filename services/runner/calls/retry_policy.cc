#include "services/runner/calls/retry_policy.h"

#include <algorithm>

#include "common/proto_time.h"

namespace kinora {

bool ShouldRetry(const v1::Failure& failure, uint32_t attempt,
                 uint32_t max_attempts) {
  return failure.retryable() && attempt < max_attempts;
}

absl::Duration RetryAfter(const v1::Failure& failure) {
  return std::clamp(FromProto(failure.retry_after()), absl::ZeroDuration(),
                    kLongestRetryAfter);
}

absl::Duration RetryDelay(const RetryPolicy& policy, uint32_t attempt,
                          Random& random) {
  absl::Duration backoff = policy.initial;
  for (uint32_t n = 1; n < attempt && backoff < policy.longest; ++n) {
    backoff *= 2;
  }
  return std::min(backoff, policy.longest) * UniformUnit(random);
}

}  // namespace kinora

#include "services/runner/retry_policy.h"

#include <algorithm>

namespace kinora {

bool ShouldRetry(const v1::Failure& failure, uint32_t attempt,
                 uint32_t max_attempts) {
  return failure.retryable() && attempt < max_attempts;
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

// A CallRate says when the next call may be made so that no more than so many
// are made in a time. Pure: no clock.

#ifndef KINORA_SERVICES_RUNNER_CALL_RATE_H_
#define KINORA_SERVICES_RUNNER_CALL_RATE_H_

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"

namespace kinora {

// How often calls may be made.
struct CallRateLimit {
  absl::Duration
      interval;        // between two calls, but for a burst; zero: no limit
  uint32_t burst = 1;  // calls at once where the rate was not used before
};

// A token bucket that counts nothing: it holds `burst` tokens, one more comes
// every `interval`, and all that is kept is the moment at which it would be
// full again. So in any window of length w at most burst + w / interval calls
// are made, and rounding adds up to nothing. Times are nanoseconds of
// Clock::MonotonicNanos(). Not thread-safe.
class CallRate {
 public:
  // No limit.
  CallRate() = default;

  // REQUIRES: interval > 0, burst > 0.
  CallRate(absl::Duration interval, uint32_t burst)
      : interval_(absl::ToInt64Nanoseconds(interval)),
        slack_(interval_ * (static_cast<int64_t>(burst) - 1)) {}

  explicit CallRate(const CallRateLimit& limit)
      : interval_(absl::ToInt64Nanoseconds(limit.interval)),
        slack_(interval_ * (static_cast<int64_t>(limit.burst) - 1)) {}

  // When the next call may be made; it may have passed.
  int64_t NextAt() const {
    return interval_ == 0 || full_at_ == INT64_MIN ? INT64_MIN
                                                   : full_at_ - slack_;
  }

  // Counts a call at `now`. REQUIRES: now >= NextAt().
  void Take(int64_t now) { full_at_ = std::max(full_at_, now) + interval_; }

  // A call that was counted is not made.
  void Return() { full_at_ -= interval_; }

 private:
  int64_t interval_ = 0;  // 0 for no limit
  int64_t slack_ = 0;
  int64_t full_at_ = INT64_MIN;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_CALL_RATE_H_

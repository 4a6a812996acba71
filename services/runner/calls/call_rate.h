// A CallRate says when the next call may be made so that no more than so many
// are made in a time. Pure: no clock.

#ifndef KINORA_SERVICES_RUNNER_CALLS_CALL_RATE_H_
#define KINORA_SERVICES_RUNNER_CALLS_CALL_RATE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "absl/time/time.h"

namespace kinora {

// How often calls may be made.
struct CallRateLimit {
  absl::Duration
      interval;        // between two calls, but for a burst; zero: no limit
  uint32_t burst = 1;  // calls at once where the rate was not used before
};

// A token bucket that counts no tokens: it holds `burst` of them, one more
// comes every `interval`, and what is kept is the moment at which it would be
// full again. So in any window of length w at most burst + w / interval calls
// are made, and rounding adds up to nothing. Calls since it was full last are
// kept too, as one that is not made must give back no more than it took: what
// would have come back by itself meanwhile is no further call. Times are
// nanoseconds of Clock::MonotonicNanos(). Not thread-safe.
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

  // Counts a call at `now`. REQUIRES: now >= NextAt(), and no earlier than the
  // call before.
  void Take(int64_t now) {
    if (interval_ == 0) return;
    if (now >= full_at_) {
      taken_.clear();
      before_ = INT64_MIN;
    }
    if (taken_.size() == kMaxTaken) {
      before_ = After(before_, taken_.front());
      taken_.pop_front();
    }
    taken_.push_back(now);
    full_at_ = After(full_at_, now);
  }

  // The call that was counted at `taken` is not made: all is as if it had not
  // been counted. One so long ago that it makes no difference changes nothing.
  void Return(int64_t taken) {
    const auto call = std::find(taken_.begin(), taken_.end(), taken);
    if (call == taken_.end()) return;
    taken_.erase(call);
    full_at_ = before_;
    for (const int64_t other : taken_) full_at_ = After(full_at_, other);
  }

 private:
  // More calls than a process has on their way to be made.
  static constexpr size_t kMaxTaken = 1024;

  int64_t After(int64_t full_at, int64_t call) const {
    return std::max(full_at, call) + interval_;
  }

  int64_t interval_ = 0;  // 0 for no limit
  int64_t slack_ = 0;
  int64_t full_at_ = INT64_MIN;
  // Calls since the bucket was full last, the oldest first; and when it would
  // have been full again after those before them.
  std::deque<int64_t> taken_;
  int64_t before_ = INT64_MIN;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_CALLS_CALL_RATE_H_

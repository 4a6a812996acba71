#include "common/clock.h"

#include <chrono>
#include <limits>

#include "absl/time/clock.h"

namespace kinora {
namespace {

class SystemClock final : public Clock {
 public:
  absl::Time Now() override { return absl::Now(); }

  int64_t MonotonicNanos() override {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
};

}  // namespace

Clock& RealClock() {
  static SystemClock* const clock = new SystemClock;
  return *clock;
}

int64_t DeadlineAfter(Clock& clock, absl::Duration delay) {
  const int64_t now = clock.MonotonicNanos();
  // Saturates: an infinite delay is the largest int64.
  const int64_t nanos = absl::ToInt64Nanoseconds(delay);
  if (nanos <= 0) return now;
  if (nanos > std::numeric_limits<int64_t>::max() - now) {
    return std::numeric_limits<int64_t>::max();
  }
  return now + nanos;
}

}  // namespace kinora

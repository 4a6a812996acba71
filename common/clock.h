// A Clock is the only source of time. Everything that asks for the time takes a
// Clock& in its constructor, so that a test decides what time it is
// (common/testing/fake_clock.h). Delays belong to an Executor, not to a Clock.

#ifndef KINORA_COMMON_CLOCK_H_
#define KINORA_COMMON_CLOCK_H_

#include <cstdint>

#include "absl/time/time.h"

namespace kinora {

// All methods of a Clock are safe to call from any thread.
class Clock {
 public:
  virtual ~Clock() = default;

  // The wall clock: for what people read and what is stored. It may jump in
  // either direction; never measure or expire anything with it.
  virtual absl::Time Now() = 0;

  // Nanoseconds since an unnamed moment; never goes backwards. For deadlines,
  // leases and durations, within one process only.
  virtual int64_t MonotonicNanos() = 0;
};

// The system's clocks. Lives as long as the process.
Clock& RealClock();

// Milliseconds since the Unix epoch, the form in which times are stored.
inline int64_t NowMillis(Clock& clock) {
  return absl::ToUnixMillis(clock.Now());
}

// The MonotonicNanos() at which `delay` from now has passed; the largest int64,
// which stands for never, if that is out of range.
int64_t DeadlineAfter(Clock& clock, absl::Duration delay);

}  // namespace kinora

#endif  // KINORA_COMMON_CLOCK_H_

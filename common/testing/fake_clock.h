// A FakeClock stands still until a test moves it.

#ifndef KINORA_COMMON_TESTING_FAKE_CLOCK_H_
#define KINORA_COMMON_TESTING_FAKE_CLOCK_H_

#include <cstdint>

#include "absl/time/time.h"

#include "common/clock.h"
#include "common/threads/mutex.h"

namespace kinora {

// Thread-safe.
class FakeClock final : public Clock {
 public:
  // 2026-01-01T00:00:00Z, a round time that is easy to see in a failure.
  FakeClock() : FakeClock(absl::FromUnixSeconds(1767225600)) {}
  explicit FakeClock(absl::Time now) : now_(now) {}

  absl::Time Now() override {
    MutexLock lock(mu_);
    return now_;
  }
  int64_t MonotonicNanos() override {
    MutexLock lock(mu_);
    return monotonic_nanos_;
  }

  // Moves both clocks. REQUIRES: by >= 0.
  void Advance(absl::Duration by) {
    MutexLock lock(mu_);
    now_ += by;
    monotonic_nanos_ += absl::ToInt64Nanoseconds(by);
  }

  // Sets the wall clock alone, as when somebody corrects it.
  void SetNow(absl::Time now) {
    MutexLock lock(mu_);
    now_ = now;
  }

 private:
  Mutex mu_;
  absl::Time now_ ABSL_GUARDED_BY(mu_);
  int64_t monotonic_nanos_ ABSL_GUARDED_BY(mu_) = 1'000'000'000;
};

}  // namespace kinora

#endif  // KINORA_COMMON_TESTING_FAKE_CLOCK_H_

#include "common/threads/mutex.h"

#include <chrono>
#include <limits>

#include "common/clock.h"

namespace kinora {
namespace {

// std::condition_variable wants a unique_lock; this one borrows a lock that is
// held already and gives it back held.
class Borrowed {
 public:
  explicit Borrowed(std::mutex& mu) : lock_(mu, std::adopt_lock) {}
  ~Borrowed() { lock_.release(); }
  std::unique_lock<std::mutex>& lock() { return lock_; }

 private:
  std::unique_lock<std::mutex> lock_;
};

}  // namespace

void CondVar::Wait(Mutex& mu) {
  Borrowed borrowed(mu.mu_);
  cv_.wait(borrowed.lock());
}

bool CondVar::WaitUntil(Mutex& mu, int64_t monotonic_nanos) {
  if (monotonic_nanos == std::numeric_limits<int64_t>::max()) {
    Wait(mu);
    return true;
  }
  Borrowed borrowed(mu.mu_);
  const std::chrono::steady_clock::time_point deadline{
      std::chrono::nanoseconds(monotonic_nanos)};
  return cv_.wait_until(borrowed.lock(), deadline) ==
         std::cv_status::no_timeout;
}

bool CondVar::WaitFor(Mutex& mu, absl::Duration timeout) {
  return WaitUntil(mu, DeadlineAfter(RealClock(), timeout));
}

}  // namespace kinora

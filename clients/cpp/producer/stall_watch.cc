#include "clients/cpp/producer/stall_watch.h"

#include <utility>

namespace kinora {

StallWatch::StallWatch(Clock& clock, Executor& executor, absl::Duration limit,
                       std::function<void()> stalled)
    : clock_(clock),
      executor_(executor),
      limit_(limit),
      stalled_(std::move(stalled)) {
  if (limit_ == absl::InfiniteDuration()) stalled_ = nullptr;
}

void StallWatch::Start() {
  MutexLock lock(mu_);
  if (stalled_ == nullptr) return;
  since_ = clock_.MonotonicNanos();
  Arm(limit_);
}

void StallWatch::Await(bool message) {
  MutexLock lock(mu_);
  if (stalled_ == nullptr) return;
  awaits_ = message;
  since_ = clock_.MonotonicNanos();
}

void StallWatch::Ask(bool person) {
  MutexLock lock(mu_);
  if (stalled_ == nullptr) return;
  asks_ = person;
  since_ = clock_.MonotonicNanos();
}

void StallWatch::Hear() {
  MutexLock lock(mu_);
  if (stalled_ == nullptr) return;
  since_ = clock_.MonotonicNanos();
}

void StallWatch::Stop() {
  MutexLock lock(mu_);
  if (stalled_ == nullptr) return;
  stalled_ = nullptr;
  executor_.Cancel(timer_);
}

void StallWatch::Arm(absl::Duration delay) {
  timer_ = executor_.PostAfter(delay, [watch = weak_from_this()] {
    if (const auto self = watch.lock()) self->Look();
  });
}

// A timer for each message would cost more than the message.
void StallWatch::Look() {
  std::function<void()> stalled;
  {
    MutexLock lock(mu_);
    if (stalled_ == nullptr) return;
    if (!awaits_ || asks_) return Arm(limit_);
    const absl::Duration left =
        limit_ - absl::Nanoseconds(clock_.MonotonicNanos() - since_);
    if (left > absl::ZeroDuration()) return Arm(left);
    stalled = std::exchange(stalled_, nullptr);
  }
  stalled();
}

}  // namespace kinora

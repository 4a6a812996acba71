#include "services/runner/lease_keeper.h"

#include <utility>

#include "common/log.h"

namespace kinora {

std::shared_ptr<LeaseKeeper> LeaseKeeper::Start(
    LeaseStore& leases, Executor& executor, Clock& clock, v1::LeaseToken token,
    absl::Duration ttl, absl::AnyInvocable<void()> on_lost) {
  std::shared_ptr<LeaseKeeper> keeper(new LeaseKeeper(
      leases, executor, clock, std::move(token), ttl, std::move(on_lost)));
  keeper->Schedule();
  return keeper;
}

std::shared_ptr<LeaseKeeper> LeaseKeeper::OfCaller(LeaseStore& leases,
                                                   Executor& executor,
                                                   Clock& clock,
                                                   v1::LeaseToken token) {
  return std::shared_ptr<LeaseKeeper>(
      new LeaseKeeper(leases, executor, clock, std::move(token),
                      absl::InfiniteDuration(), nullptr));
}

LeaseKeeper::LeaseKeeper(LeaseStore& leases, Executor& executor, Clock& clock,
                         v1::LeaseToken token, absl::Duration ttl,
                         absl::AnyInvocable<void()> on_lost)
    : leases_(leases),
      executor_(executor),
      clock_(clock),
      token_(std::move(token)),
      ttl_(ttl),
      on_lost_(std::move(on_lost)),
      expires_nanos_(DeadlineAfter(clock, ttl)) {}

void LeaseKeeper::Schedule() {
  std::weak_ptr<LeaseKeeper> weak = weak_from_this();
  executor_.PostAfter(ttl_ / 3, [weak] {
    if (auto keeper = weak.lock()) keeper->Renew();
  });
}

void LeaseKeeper::Renew() {
  {
    MutexLock lock(mu_);
    if (stopped_) return;
  }
  v1::RenewLeaseRequest request;
  *request.mutable_token() = token_;
  // Counted from before the call: the store's period begins later, never
  // earlier, so the lease is never believed in for too long.
  const int64_t expires = DeadlineAfter(clock_, ttl_);
  const absl::Status renewed = leases_.Renew(request).status();
  absl::AnyInvocable<void()> on_lost;
  {
    MutexLock lock(mu_);
    if (stopped_) return;
    if (renewed.ok()) {
      expires_nanos_ = expires;
    } else if (absl::IsAborted(renewed) ||
               clock_.MonotonicNanos() >= expires_nanos_) {
      stopped_ = true;
      on_lost = std::move(on_lost_);
    }
  }
  if (!renewed.ok()) {
    LogWarning("lease not renewed",
               {{"lease", token_.lease_id()}, {"error", renewed}});
  }
  if (on_lost) {
    on_lost();
  } else {
    Schedule();
  }
}

void LeaseKeeper::Stop() {
  MutexLock lock(mu_);
  stopped_ = true;
}

}  // namespace kinora

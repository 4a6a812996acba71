#include "services/runner/lease_keeper.h"

#include <algorithm>
#include <utility>

#include "common/log.h"
#include "common/status.h"

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

absl::Status LeaseKeeper::RenewNow() {
  v1::RenewLeaseRequest request;
  *request.mutable_token() = token_;
  // Counted from before the call: the store's period begins later, never
  // earlier, so the lease is never believed in for too long.
  const int64_t expires = DeadlineAfter(clock_, ttl_);
  KINORA_RETURN_IF_ERROR(leases_.Renew(request).status());
  MutexLock lock(mu_);
  expires_nanos_ = std::max(expires_nanos_, expires);
  return absl::OkStatus();
}

absl::Status LeaseKeeper::Confirm() {
  {
    MutexLock lock(mu_);
    if (clock_.MonotonicNanos() < expires_nanos_) return absl::OkStatus();
  }
  return RenewNow();
}

void LeaseKeeper::Renew() {
  {
    MutexLock lock(mu_);
    if (stopped_) return;
  }
  const absl::Status renewed = RenewNow();
  absl::AnyInvocable<void()> on_lost;
  {
    MutexLock lock(mu_);
    if (stopped_) return;
    if (!renewed.ok() && (absl::IsAborted(renewed) ||
                          clock_.MonotonicNanos() >= expires_nanos_)) {
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

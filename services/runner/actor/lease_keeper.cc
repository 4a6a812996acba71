#include "services/runner/actor/lease_keeper.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/proto_time.h"
#include "common/status.h"
#include "common/telemetry/log.h"

namespace kinora {

std::shared_ptr<LeaseKeeper> LeaseKeeper::Start(
    LeaseStore& leases, Executor& executor, Executor& watchdog, Clock& clock,
    v1::LeaseToken token, absl::Duration ttl,
    absl::AnyInvocable<void()> on_lost) {
  std::shared_ptr<LeaseKeeper> keeper(
      new LeaseKeeper(leases, executor, watchdog, clock, std::move(token), ttl,
                      /*is_callers=*/false, std::move(on_lost)));
  keeper->Schedule();
  keeper->WatchFor(ttl);
  return keeper;
}

std::shared_ptr<LeaseKeeper> LeaseKeeper::OfCaller(LeaseStore& leases,
                                                   Executor& executor,
                                                   Clock& clock,
                                                   v1::LeaseToken token) {
  // Nobody knows yet for how long it is held.
  return std::shared_ptr<LeaseKeeper>(
      new LeaseKeeper(leases, executor, executor, clock, std::move(token),
                      absl::ZeroDuration(), /*is_callers=*/true, nullptr));
}

LeaseKeeper::LeaseKeeper(LeaseStore& leases, Executor& executor,
                         Executor& watchdog, Clock& clock, v1::LeaseToken token,
                         absl::Duration ttl, bool is_callers,
                         absl::AnyInvocable<void()> on_lost)
    : leases_(leases),
      executor_(executor),
      watchdog_(watchdog),
      clock_(clock),
      token_(std::move(token)),
      ttl_(ttl),
      is_callers_(is_callers),
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
  const int64_t expires = DeadlineAfter(clock_, ttl_);
  KINORA_RETURN_IF_ERROR(leases_.Renew(request).status());
  HoldUntil(expires);
  return absl::OkStatus();
}

void LeaseKeeper::HoldUntil(int64_t expires_nanos) {
  MutexLock lock(mu_);
  expires_nanos_ = std::max(expires_nanos_, expires_nanos);
}

absl::Status LeaseKeeper::AskNow() {
  const int64_t asked = clock_.MonotonicNanos();
  KINORA_ASSIGN_OR_RETURN(const absl::Duration left, TimeLeft(leases_, token_));
  MutexLock lock(mu_);
  expires_nanos_ = asked + absl::ToInt64Nanoseconds(left);
  return absl::OkStatus();
}

absl::StatusOr<absl::Duration> LeaseKeeper::TimeLeft(
    LeaseStore& leases, const v1::LeaseToken& token) {
  v1::GetLeaseRequest get;
  get.set_lease_id(token.lease_id());
  KINORA_ASSIGN_OR_RETURN(const v1::GetLeaseResponse held, leases.Get(get));
  if (held.has_lease() &&
      held.lease().token().fencing_token() == token.fencing_token()) {
    return FromProto(held.lease().expires_in());
  }
  return WithReason(
      absl::AbortedError(absl::StrCat(
          "the lease \"", token.lease_id(), "\" with token ",
          token.fencing_token(), " has passed on",
          held.has_lease()
              ? absl::StrCat(" to \"", held.lease().holder(), "\" for \"",
                             held.lease().purpose(), "\"")
              : std::string(": nobody holds it"))),
      "LEASE_LOST", {{"lease", token.lease_id()}});
}

absl::Status LeaseKeeper::Confirm() {
  {
    MutexLock lock(mu_);
    if (lost_) {
      return WithReason(
          absl::AbortedError(
              absl::StrCat("the lease \"", token_.lease_id(),
                           "\" was given up: it could not be renewed in time")),
          "LEASE_LOST", {{"lease", token_.lease_id()}});
    }
    if (clock_.MonotonicNanos() < expires_nanos_) return absl::OkStatus();
  }
  return is_callers_ ? AskNow() : RenewNow();
}

absl::AnyInvocable<void()> LeaseKeeper::Lose() {
  stopped_ = true;
  lost_ = true;
  return std::move(on_lost_);
}

void LeaseKeeper::WatchFor(absl::Duration delay) {
  std::weak_ptr<LeaseKeeper> weak = weak_from_this();
  watchdog_.PostAfter(delay, [weak] {
    if (auto keeper = weak.lock()) keeper->LookAtClock();
  });
}

void LeaseKeeper::LookAtClock() {
  absl::AnyInvocable<void()> on_lost;
  absl::Duration again;
  {
    MutexLock lock(mu_);
    if (stopped_) return;
    const absl::Duration late =
        absl::Nanoseconds(clock_.MonotonicNanos() - expires_nanos_);
    if (late < absl::ZeroDuration()) {
      again = -late;
    } else if (late > ttl_ / 3 && overslept_nanos_ != expires_nanos_) {
      // Nothing ran here: the renewals were late as well.
      overslept_nanos_ = expires_nanos_;
      again = ttl_ / 3;
    } else {
      on_lost = Lose();
    }
  }
  if (!on_lost) return WatchFor(again);
  LogWarning("lease not renewed in time", {{"lease", token_.lease_id()}});
  on_lost();
}

void LeaseKeeper::Renew() {
  {
    MutexLock lock(mu_);
    if (stopped_) return;
  }
  v1::RenewLeaseRequest request;
  *request.mutable_token() = token_;
  const int64_t expires = DeadlineAfter(clock_, ttl_);
  std::weak_ptr<LeaseKeeper> weak = weak_from_this();
  // An answer that comes later would come too late.
  leases_.BeginRenewal(
      request, ttl_ * 2 / 3,
      [weak, expires](const absl::StatusOr<v1::RenewLeaseResponse>& answer) {
        auto keeper = weak.lock();
        if (keeper == nullptr) return;
        if (answer.ok()) return keeper->HoldUntil(expires);
        keeper->PassOn(answer.status());
      });
  // Whether it has been answered or not: the next one may find its way.
  Schedule();
}

// What a loss brings about is not for a thread of the store's. Under the lock:
// who has stopped the keeper may be done with its executor.
void LeaseKeeper::PassOn(const absl::Status& failed) {
  MutexLock lock(mu_);
  if (stopped_) return;
  executor_.Post([weak = weak_from_this(), failed] {
    if (auto keeper = weak.lock()) keeper->TakeFailure(failed);
  });
}

void LeaseKeeper::TakeFailure(const absl::Status& failed) {
  absl::AnyInvocable<void()> on_lost;
  {
    MutexLock lock(mu_);
    if (stopped_) return;
    if (absl::IsAborted(failed) || clock_.MonotonicNanos() >= expires_nanos_) {
      on_lost = Lose();
    }
  }
  LogWarning("lease not renewed",
             {{"lease", token_.lease_id()}, {"error", failed}});
  if (on_lost) on_lost();
}

bool LeaseKeeper::lost() {
  MutexLock lock(mu_);
  return lost_;
}

void LeaseKeeper::Stop() {
  MutexLock lock(mu_);
  stopped_ = true;
}

}  // namespace kinora

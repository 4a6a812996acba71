// A LeaseKeeper renews a lease for as long as it lives, and tells when the
// lease is lost.

#ifndef KINORA_SERVICES_RUNNER_ACTOR_LEASE_KEEPER_H_
#define KINORA_SERVICES_RUNNER_ACTOR_LEASE_KEEPER_H_

#include <cstdint>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "common/clock.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"
#include "kinora/v1/types.pb.h"
#include "services/store/lease/lease_store.h"

namespace kinora {

// Thread-safe. Renews every third of the period, so that two renewals may fail,
// or never be answered, before the lease does. They begin on the executor,
// whose tasks should wait for nothing, and none waits there for a store that is
// elsewhere: thousands of leases are kept by a thread or two, and one whose
// renewal is not answered costs the others nothing. Whether it has failed is
// decided by the keeper's own clock: meanwhile the lease passes on all the
// same.
class LeaseKeeper : public std::enable_shared_from_this<LeaseKeeper> {
 public:
  // `on_lost` is called at most once: on the executor when the store says that
  // the lease has passed on, or on the watchdog when the lease was not renewed
  // for a whole period; it MUST NOT block. A process that has slept that long
  // has another third to ask the store. `watchdog` is an executor whose tasks
  // do not block, as those of `executor` do. References MUST outlive the
  // keeper.
  static std::shared_ptr<LeaseKeeper> Start(LeaseStore& leases,
                                            Executor& executor,
                                            Executor& watchdog, Clock& clock,
                                            v1::LeaseToken token,
                                            absl::Duration ttl,
                                            absl::AnyInvocable<void()> on_lost);

  // One that renews nothing: the caller of a step holds the lease, and renews
  // it itself.
  static std::shared_ptr<LeaseKeeper> OfCaller(LeaseStore& leases,
                                               Executor& executor, Clock& clock,
                                               v1::LeaseToken token);

  const v1::LeaseToken& token() const { return token_; }

  // OK if the lease is held for certain, which needs nobody to be asked within
  // a period of the last renewal; after that the store is. Else its error:
  // ABORTED (LEASE_LOST) if the lease has passed on, or was given up by
  // `on_lost`. For what the fencing token does not guard: an append that was
  // made in time may be answered too late.
  absl::Status Confirm();

  // True from before `on_lost` on.
  bool lost();

  // The lease is held by whoever has `token`, for that long at least; less than
  // nothing if it has expired and nobody took it. ABORTED (LEASE_LOST) naming
  // who has it now.
  static absl::StatusOr<absl::Duration> TimeLeft(LeaseStore& leases,
                                                 const v1::LeaseToken& token);

  // Stops renewing; `on_lost` is not called any more once this returns, unless
  // it is being called, and what the store answers later touches no executor.
  void Stop();

 private:
  LeaseKeeper(LeaseStore& leases, Executor& executor, Executor& watchdog,
              Clock& clock, v1::LeaseToken token, absl::Duration ttl,
              bool is_callers, absl::AnyInvocable<void()> on_lost);

  void Schedule();
  void Renew();
  void PassOn(const absl::Status& failed);
  void TakeFailure(const absl::Status& failed);
  // Of a renewal, as counted from before the call: the store's period begins
  // later, never earlier, so the lease is never believed in for too long.
  void HoldUntil(int64_t expires_nanos);
  // Ask the store.
  absl::Status RenewNow();
  absl::Status AskNow();

  void WatchFor(absl::Duration delay);
  void LookAtClock();
  // What to call, outside the lock.
  absl::AnyInvocable<void()> Lose() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  LeaseStore& leases_;
  Executor& executor_;
  Executor& watchdog_;
  Clock& clock_;
  const v1::LeaseToken token_;
  const absl::Duration ttl_;
  const bool is_callers_;

  Mutex mu_;
  absl::AnyInvocable<void()> on_lost_ ABSL_GUARDED_BY(mu_);
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  bool lost_ ABSL_GUARDED_BY(mu_) = false;
  int64_t expires_nanos_ ABSL_GUARDED_BY(mu_);
  // The expiry that was seen late, after a sleep.
  int64_t overslept_nanos_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_ACTOR_LEASE_KEEPER_H_

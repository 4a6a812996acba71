// A LeaseKeeper renews a lease for as long as it lives, and tells when the
// lease is lost.

#ifndef KINORA_SERVICES_RUNNER_LEASE_KEEPER_H_
#define KINORA_SERVICES_RUNNER_LEASE_KEEPER_H_

#include <cstdint>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"

#include "common/clock.h"
#include "common/executor.h"
#include "common/mutex.h"
#include "kinora/v1/types.pb.h"
#include "services/store/lease/lease_store.h"

namespace kinora {

// Thread-safe. Renews every third of the period, on the executor, so that two
// renewals may fail before the lease does.
class LeaseKeeper : public std::enable_shared_from_this<LeaseKeeper> {
 public:
  // `on_lost` is called at most once, on the executor: when the store says that
  // the lease has passed on, or when it could not be asked for a whole period.
  // References MUST outlive the keeper.
  static std::shared_ptr<LeaseKeeper> Start(LeaseStore& leases,
                                            Executor& executor, Clock& clock,
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
  // ABORTED (LEASE_LOST) if the lease has passed on. For what the fencing token
  // does not guard: an append that was made in time may be answered too late.
  absl::Status Confirm();

  // Stops renewing; `on_lost` is not called any more once this returns, unless
  // it is being called.
  void Stop();

 private:
  LeaseKeeper(LeaseStore& leases, Executor& executor, Clock& clock,
              v1::LeaseToken token, absl::Duration ttl,
              absl::AnyInvocable<void()> on_lost);

  void Schedule();
  void Renew();
  // Asks the store.
  absl::Status RenewNow();

  LeaseStore& leases_;
  Executor& executor_;
  Clock& clock_;
  const v1::LeaseToken token_;
  const absl::Duration ttl_;

  Mutex mu_;
  absl::AnyInvocable<void()> on_lost_ ABSL_GUARDED_BY(mu_);
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  int64_t expires_nanos_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_LEASE_KEEPER_H_

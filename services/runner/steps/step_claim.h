// Keeps other runners from the jobs of a step for as long as it is carried out
// here: the lease on the call, by which its claims in the ledger hold
// (job_claims.h).

#ifndef KINORA_SERVICES_RUNNER_STEPS_STEP_CLAIM_H_
#define KINORA_SERVICES_RUNNER_STEPS_STEP_CLAIM_H_

#include <memory>
#include <string>
#include <utility>

#include "common/telemetry/log.h"
#include "services/runner/actor/lease_keeper.h"
#include "services/store/lease/lease_store.h"

namespace kinora {

class StepClaim {
 public:
  // `keeper` keeps the lease on `call`. `leases` MUST outlive this.
  StepClaim(LeaseStore& leases, std::string call,
            std::shared_ptr<LeaseKeeper> keeper)
      : leases_(leases), call_(std::move(call)), keeper_(std::move(keeper)) {}

  // Lets others have the jobs. Blocks on the store.
  ~StepClaim() {
    keeper_->Stop();
    // One that is lost is nobody's to give up, and to say so may take long.
    if (keeper_->lost()) return;
    v1::ReleaseLeaseRequest release;
    *release.mutable_token() = keeper_->token();
    const absl::Status released = leases_.Release(release).status();
    if (released.ok()) return;
    LogWarning("lease not released",
               {{"lease", keeper_->token().lease_id()}, {"error", released}});
  }

  StepClaim(const StepClaim&) = delete;
  StepClaim& operator=(const StepClaim&) = delete;

  const std::string& call() const { return call_; }
  const std::shared_ptr<LeaseKeeper>& keeper() const { return keeper_; }

 private:
  LeaseStore& leases_;
  const std::string call_;
  const std::shared_ptr<LeaseKeeper> keeper_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_STEPS_STEP_CLAIM_H_

// Holds the lease on a run itself, `run/<run_id>`, for the time of a request:
// whoever has it may append to the run's ledger, whichever runner carries the
// run out, and no two requests to one run meet.

#ifndef KINORA_SERVICES_RUNNER_RUN_LEASE_H_
#define KINORA_SERVICES_RUNNER_RUN_LEASE_H_

#include <memory>
#include <string>
#include <utility>

#include "kinora/v1/types.pb.h"
#include "services/runner/runner.h"

namespace kinora {

class Runner::RunLease {
 public:
  // Waits while another request holds it. UNAVAILABLE if that takes longer than
  // any request should, or the runner is draining.
  static absl::StatusOr<std::unique_ptr<RunLease>> Take(
      Runner& runner, const std::string& run_id);

  // Gives it up.
  ~RunLease() { runner_.Release(token_); }

  const v1::LeaseToken& token() const { return token_; }

 private:
  RunLease(Runner& runner, v1::LeaseToken token)
      : runner_(runner), token_(std::move(token)) {}

  Runner& runner_;
  const v1::LeaseToken token_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RUN_LEASE_H_

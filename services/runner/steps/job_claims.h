// Which calls have claimed which jobs of a run, at whichever runner, as the
// run's ledger tells it: of two claims on a job the earlier one holds, for as
// long as its call goes on. Pure.
//
// A claim is a `job.claimed` event, with the detail
//
//   {"call":"<16 hexadecimal digits>","jobs":["Image[segment=0]"]}
//
// and its call goes on while it has the lease `run/<run_id>/<call>`.

#ifndef KINORA_SERVICES_RUNNER_STEPS_JOB_CLAIMS_H_
#define KINORA_SERVICES_RUNNER_STEPS_JOB_CLAIMS_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"

namespace kinora {

// `run/<run_id>/<call>`.
std::string StepLeaseId(absl::string_view run_id, absl::string_view call);

// What claims the jobs, in as many events as it takes.
std::vector<v1::JobEvent> ClaimEvents(const std::string& call,
                                      const std::vector<std::string>& jobs);

// Folds ledger events, in their order. Not thread-safe.
class JobClaims {
 public:
  void Apply(const v1::LedgerEvent& event);

  // The calls that have claimed one of the jobs before `call` has; all that
  // have, if `call` has claimed none.
  std::set<std::string> Before(const std::string& call,
                               const std::vector<std::string>& jobs) const;

  // The call has ended for good: what it has claimed of the jobs is free.
  void Forget(const std::string& call, const std::vector<std::string>& jobs);

 private:
  // In the order of the ledger, by job.
  std::map<std::string, std::vector<std::string>> calls_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_STEPS_JOB_CLAIMS_H_

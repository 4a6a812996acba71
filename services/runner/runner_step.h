// What the files of Runner that carry out steps share.

#ifndef KINORA_SERVICES_RUNNER_RUNNER_STEP_H_
#define KINORA_SERVICES_RUNNER_RUNNER_STEP_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kinora/v1/run_record.pb.h"
#include "services/runner/runner.h"
#include "services/runner/steps/step_call.h"
#include "services/runner/steps/step_claim.h"
#include "services/runner/steps/stepwise_run.h"

namespace kinora {

// What a call has come to.
struct Runner::Step {
  std::shared_ptr<StepCall> call;
  std::shared_ptr<StepwiseRun> run;
  v1::RunRecord record;
  bool is_stored = false;                      // the record
  std::vector<std::string> job_ids;            // asked for, in order
  std::vector<std::string> claimed;            // here
  std::shared_ptr<StepClaim> claim;            // over all runners
  std::map<std::string, v1::JobState> states;  // of those that have ended
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RUNNER_STEP_H_

// A RunMeter counts what a run does, if somebody can ask for it.

#ifndef KINORA_SERVICES_RUNNER_ACTOR_RUN_METER_H_
#define KINORA_SERVICES_RUNNER_ACTOR_RUN_METER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "absl/time/time.h"

#include "common/clock.h"
#include "kinora/v1/plan.pb.h"
#include "services/runner/actor/run_message.h"
#include "services/runner/actor/runner_metrics.h"
#include "services/runner/state/run_state.h"

namespace kinora {

// Not thread-safe.
class RunMeter {
 public:
  // Without `metrics` it does nothing. References MUST outlive it.
  RunMeter(RunnerMetrics* metrics, Clock& clock,
           std::shared_ptr<const v1::Plan> plan)
      : metrics_(metrics), clock_(clock), plan_(std::move(plan)) {}

  // The run takes up what has happened meanwhile.
  void BeginPass() { batch_nanos_ = 0; }

  void Changed(const RunState& state, const JobChange& change);
  // A job whose result the plan takes from the log.
  void Reused(const v1::ReusedJob& reused);
  void Ended(const RunState& state, const AttemptEnded& ended,
             absl::Duration duration);
  // Of jobs that may be called from now on, and of one that is called: what
  // lies between is the latency of dispatch.
  void Ready(const std::vector<JobIndex>& jobs);
  void Started(const RunState& state, JobIndex job);

  void Closed(v1::RunStatus status);

 private:
  RunnerMetrics* const metrics_;
  Clock& clock_;
  const std::shared_ptr<const v1::Plan> plan_;
  std::map<JobIndex, int64_t> ready_nanos_;
  // When the first of the attempts ended that this pass takes in; 0 for none.
  int64_t batch_nanos_ = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_ACTOR_RUN_METER_H_

// A RunnerProcess is a runner with everything it needs but a store: planner,
// executor, and a simulated producer behind an in-process channel.

#ifndef KINORA_SERVICES_RUNNER_TESTING_RUNNER_PROCESS_H_
#define KINORA_SERVICES_RUNNER_TESTING_RUNNER_PROCESS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "clients/cpp/sim/sim_producer_options.h"
#include "common/clock.h"
#include "services/runner/record/run_recorder.h"
#include "services/runner/replay/dry_runs.h"
#include "services/runner/runner.h"
#include "services/store/store.h"

namespace kinora {

// Its producers are `sim`, called four times at once, `single`, called once at
// a time, and `wide`, called 256 times at once; `capped`, which may cost 0.10
// USD in a run; `flaky`, whose breaker opens with the first call that is lost,
// for a moment; and `mixed`, which has three targets: one that is gone, one as
// the others, and one of another version. Attempts are made three times, with
// hardly a pause.
class RunnerProcess {
 public:
  // `sim` is for all its producers. The store's parts and `clock` MUST outlive
  // this.
  // So MUST what hears of its runs, and what saves their records; null for
  // nobody.
  RunnerProcess(const Store& store, Clock& clock, const SimProducerOptions& sim,
                MetricsRegistry* metrics = nullptr,
                RunListener* listener = nullptr,
                RunRecorder* recorder = nullptr);
  ~RunnerProcess();

  Runner& runner();
  DryRuns& dry_runs();

  // Attempts that reached a producer.
  int64_t calls() const;

 private:
  struct Parts;
  const std::unique_ptr<Parts> parts_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_TESTING_RUNNER_PROCESS_H_

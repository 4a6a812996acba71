// What a RunActor works with.

#ifndef KINORA_SERVICES_RUNNER_ACTOR_RUN_ACTOR_DEPS_H_
#define KINORA_SERVICES_RUNNER_ACTOR_RUN_ACTOR_DEPS_H_

#include <memory>

#include "absl/time/time.h"

#include "common/clock.h"
#include "common/threads/executor.h"
#include "common/threads/strand.h"
#include "common/threads/task_slots.h"
#include "services/planner/planner.h"
#include "services/runner/actor/run_listener.h"
#include "services/runner/actor/runner_metrics.h"
#include "services/runner/calls/call_places.h"
#include "services/runner/calls/producer_caller.h"
#include "services/runner/calls/producer_table.h"
#include "services/runner/record/run_recorder.h"
#include "services/store/store.h"

namespace kinora {

// All MUST outlive the actor.
struct RunActorDeps {
  Store store;
  ProducerCaller& producers;
  const ProducerConfigs& configs;
  Executor& executor;
  Clock& clock;
  Planner& planner;
  std::shared_ptr<CallPlaces> places;  // shared by all runs of the process
  RunnerMetrics* metrics = nullptr;    // null for none
  RunListener* listener = nullptr;     // null for none
  // For what must happen in time, and never blocks; null for `executor`.
  Executor* watchdog = nullptr;
  Executor* renewals = nullptr;       // the same, as of RunnerDeps
  absl::Duration durations_patience;  // as of RunnerOptions
  // Of the process: its runs ask for durations one after another, so that a
  // planner which hangs takes one thread of the executor and no more.
  std::shared_ptr<Strand> recalls;
  // The same for plans that are to be expanded.
  std::shared_ptr<TaskSlots> expansions;
  RunRecorder* recorder = nullptr;  // null for none
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_ACTOR_RUN_ACTOR_DEPS_H_

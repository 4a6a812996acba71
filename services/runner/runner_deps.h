// What a Runner works with, and how.

#ifndef KINORA_SERVICES_RUNNER_RUNNER_DEPS_H_
#define KINORA_SERVICES_RUNNER_RUNNER_DEPS_H_

#include <cstdint>

#include "absl/time/time.h"

#include "common/clock.h"
#include "common/random.h"
#include "common/telemetry/metrics.h"
#include "common/threads/executor.h"
#include "services/planner/planner.h"
#include "services/runner/actor/run_listener.h"
#include "services/runner/calls/call_rate.h"
#include "services/runner/calls/producer_caller.h"
#include "services/runner/calls/retry_policy.h"
#include "services/runner/record/run_recorder.h"
#include "services/store/store.h"

namespace kinora {

struct RunnerOptions {
  uint32_t max_concurrency = 64;  // jobs called at once over all runs
  CallRateLimit rate;             // of their calls
  absl::Duration lease_ttl = absl::Seconds(6);
  RetryPolicy retry;
  // Whether the store is part of this process: what a runner held that died
  // with its store can then be taken over at once.
  bool in_store_process = false;
  // A run that begins waits for so long to hear what calls of its producers
  // took before, so that its first jobs are the right ones.
  absl::Duration durations_patience = absl::Milliseconds(50);
};

// Of an executor for RunnerDeps::renewals. No renewal waits there for a store
// that is elsewhere, whatever the number of leases; in a store of this process
// one may wait for a disk that is writing the same lease.
inline constexpr int kRenewalThreads = 2;

// All MUST outlive the Runner.
struct RunnerDeps {
  Store store;
  Planner& planner;
  ProducerCaller& producers;
  Executor& executor;
  Clock& clock;
  Random& random;
  MetricsRegistry* metrics = nullptr;  // null for none
  RunListener* listener = nullptr;     // null for none
  // For what must happen in time, when a lease expires: nothing blocks on it.
  // Null for `executor`, whose threads may all wait for a store that is away.
  Executor* watchdog = nullptr;
  // Renews leases (kRenewalThreads), and does nothing else. Null for
  // `executor`, all threads of which may wait for a planner or for a long read
  // while a lease runs out.
  Executor* renewals = nullptr;
  // Saves the records of runs that end; null for nobody.
  RunRecorder* recorder = nullptr;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RUNNER_DEPS_H_

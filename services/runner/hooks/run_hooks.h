// RunHooks tells people and programs of what happens in runs: it turns ledger
// events into calls of hooks, and has them sent beside the runs, which neither
// wait for a hook nor fail with it.
//
// A call is one JSON document:
//
//   {"event":"failure","key":"run-01J.../17","movieId":"film",
//    "runId":"run-01J...","ledgerEvent":{"seq":17,"type":"step.failed",...}}
//
// `ledgerEvent` is the event as `kinora runs watch --json` prints it. A hook
// hears of an event of the ledger once, under the first of its words that fits:
//
//   failure      step.failed, run.failed
//   completion   run.completed, run.failed, run.cancelled
//   budget       job.over_budget, once for each time that somebody must decide
//   question     job.question, job.escalated, job.over_budget
//
// Where records of runs are saved (record/run_recorder.h), a hook on `record`
// hears of each, once it is in its file. `record`, in place of `ledgerEvent`,
// is the event that is published of it, and the key is `run-01J.../record`:
//
//   {"event":"record",...,"record":{"topic":"observability.action_graph",
//    "kind":"action_graph_update","headers":{...},"payload":{...}}}
//
// At least once while the process lives: a call is made after its event is
// durable, and made again if it failed in a way that may pass. Those that are
// left when the process ends are not made: whoever must know for sure reads the
// ledger.

#ifndef KINORA_SERVICES_RUNNER_HOOKS_RUN_HOOKS_H_
#define KINORA_SERVICES_RUNNER_HOOKS_RUN_HOOKS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/random.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"
#include "services/runner/actor/run_listener.h"
#include "services/runner/calls/retry_policy.h"
#include "services/runner/hooks/hook_table.h"

namespace kinora {

// One thing that happened, for one hook.
struct HookCall {
  HookEvent event = HookEvent::kCompletion;
  std::string movie_id;
  std::string run_id;
  // The same whenever it is sent again: run id / sequence, or / `record`.
  std::string key;
  std::string json;         // the document
  std::string traceparent;  // of the call, in the run's trace; empty for none
};

// Sends a call to a hook. Blocks, no longer than the hook's timeout.
// UNAVAILABLE or DEADLINE_EXCEEDED if trying again may help.
using SendHook =
    std::function<absl::Status(const Hook& hook, const HookCall& call)>;

struct RunHooksOptions {
  // Calls that wait or are being made; further ones are dropped and logged.
  size_t max_pending = 1000;
  // Of one call, to a webhook. A command runs once: it may have done half.
  uint32_t max_attempts = 5;
  RetryPolicy retry = {.initial = absl::Seconds(1),
                       .longest = absl::Seconds(30)};
};

// Thread-safe.
class RunHooks final : public RunListener {
 public:
  // `send` runs on `executor`, which bounds how many are made at once. Executor
  // and `random` MUST outlive this; the executor is stopped before.
  RunHooks(std::vector<Hook> hooks, SendHook send, Executor& executor,
           Random& random, const RunHooksOptions& options = {});

  void OnLedger(
      absl::string_view movie_id, absl::string_view run_id,
      int64_t first_sequence,
      const google::protobuf::RepeatedPtrField<v1::Event>& events) override;
  void OnRecord(absl::string_view movie_id, absl::string_view run_id,
                absl::string_view topic, const TopicRecord& event) override;

  // Waits until no call is pending, at most `limit` long; none is made after
  // that. For the end of a process: what waits for another attempt is not
  // waited for.
  void Drain(absl::Duration limit);

 private:
  struct Delivery;

  void Enqueue(const Hook& hook, HookCall call);
  void Post(std::shared_ptr<Delivery> delivery);
  void Send(const std::shared_ptr<Delivery>& delivery);

  const std::vector<Hook> hooks_;
  const SendHook send_;
  Executor& executor_;
  Random& random_;
  const RunHooksOptions options_;

  Mutex mu_;
  CondVar idle_cv_;
  size_t pending_ ABSL_GUARDED_BY(mu_) = 0;     // also those that wait
  size_t busy_ ABSL_GUARDED_BY(mu_) = 0;        // but for those that wait
  bool draining_ ABSL_GUARDED_BY(mu_) = false;  // no further attempts
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;   // nor first ones
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_HOOKS_RUN_HOOKS_H_

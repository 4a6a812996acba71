// RunReductions keeps the states of the runs that were looked at last, so that
// a look at a run reads only what its ledger has got since the one before.

#ifndef KINORA_SERVICES_RUNNER_PAST_RUN_REDUCTIONS_H_
#define KINORA_SERVICES_RUNNER_PAST_RUN_REDUCTIONS_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "common/recently_used.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"
#include "kinora/v1/run_record.pb.h"
#include "services/runner/past/run_past.h"
#include "services/runner/past/run_reduction.h"
#include "services/store/event/event_store.h"

namespace kinora {

// Thread-safe.
class RunReductions {
 public:
  // Keeps runs of about `max_jobs` jobs in all. Both MUST outlive this.
  RunReductions(EventStore& events, Executor& executor,
                size_t max_jobs = 250'000)
      : events_(events), executor_(executor), kept_(max_jobs) {}

  // The run as its ledger tells it now. `past`, unless null, MUST be empty and
  // is told of every event, which reads the whole ledger. Who looks at a run
  // that another is reading waits for that. Blocks; errors are the store's.
  absl::StatusOr<v1::RunSnapshot> Reduce(const v1::RunRecord& record,
                                         RunPast* past = nullptr);

  // The same, but only its status: costs nothing for a run of many jobs that
  // was looked at before.
  absl::StatusOr<v1::RunStatus> StatusOf(const v1::RunRecord& record);

 private:
  struct Kept {
    Mutex mu;
    // What of the record the reduction began with: another one begins anew.
    v1::RunRecord beginning ABSL_GUARDED_BY(mu);
    std::optional<RunReduction> reduction ABSL_GUARDED_BY(mu);
  };

  // Has `look` see the run as its ledger tells it now.
  absl::Status Look(const v1::RunRecord& record, RunPast* past,
                    absl::FunctionRef<void(const RunReduction&)> look);
  std::shared_ptr<Kept> Take(const std::string& run_id);

  EventStore& events_;
  Executor& executor_;
  Mutex mu_;
  RecentlyUsed<Kept> kept_ ABSL_GUARDED_BY(mu_);  // by run
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_PAST_RUN_REDUCTIONS_H_

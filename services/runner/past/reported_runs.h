// ReportedRuns keeps what is known of the runs to which outside workers
// reported last, so that a report reads only what their ledgers have got since
// the one before.

#ifndef KINORA_SERVICES_RUNNER_PAST_REPORTED_RUNS_H_
#define KINORA_SERVICES_RUNNER_PAST_REPORTED_RUNS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"

#include "common/recently_used.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"
#include "kinora/v1/run_record.pb.h"
#include "services/runner/ledger/reported_run.h"
#include "services/store/event/event_store.h"

namespace kinora {

// Thread-safe.
class ReportedRuns {
 public:
  struct State {
    std::optional<ReportedRun> run;
    int64_t through = 0;  // the last sequence that it was told
  };
  // A run; who reports to it holds `mu` from its first look at the ledger until
  // what it appends is there.
  struct Known {
    Mutex mu;
    State state ABSL_GUARDED_BY(mu);
  };

  // Keeps runs of about `max_steps` steps in all. Both MUST outlive this.
  ReportedRuns(EventStore& events, Executor& executor,
               size_t max_steps = 250'000)
      : events_(events), executor_(executor), kept_(max_steps) {}

  std::shared_ptr<Known> Find(const std::string& run_id);

  // Tells the run what is in its ledger now: it is there then. Blocks; errors
  // are the store's.
  absl::Status CatchUp(const v1::RunRecord& record, State* state);

  // Keeps what it was told, as long as there is room.
  void Keep(const std::string& run_id, std::shared_ptr<Known> known,
            size_t weight);

 private:
  EventStore& events_;
  Executor& executor_;
  Mutex mu_;
  RecentlyUsed<Known> kept_ ABSL_GUARDED_BY(mu_);  // by run
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_PAST_REPORTED_RUNS_H_

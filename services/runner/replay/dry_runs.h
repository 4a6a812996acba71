// DryRuns carries out dry runs: whole runs that leave nothing behind.
//
// A dry run is a run like any other, of a Runner of its own, with a planner of
// its own, over a copy of the movie in memory (ScratchMovie) and with producers
// that are simulated. So it goes the whole way of a run, from edits and plan to
// expansion, limits, ledger and commit, and nothing of it can reach the store:
// what it holds there is asked for reading alone. So does a replay of a
// recorded run, over the movie as it was, with producers that answer from the
// record.

#ifndef KINORA_SERVICES_RUNNER_REPLAY_DRY_RUNS_H_
#define KINORA_SERVICES_RUNNER_REPLAY_DRY_RUNS_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/threads/mutex.h"
#include "kinora/v1/event.pb.h"
#include "kinora/v1/run_record.pb.h"
#include "kinora/v1/runner.pb.h"
#include "services/runner/calls/producer_table.h"
#include "services/runner/runner.h"

namespace kinora {

// What is left of a dry run that has ended.
struct EndedDryRun {
  v1::RunSnapshot run;
  std::vector<v1::Event> ledger;  // all of it
};

// Thread-safe. Calls block.
class DryRuns {
 public:
  // More at once would take memory from runs that count.
  static constexpr int kMaxAtOnce = 2;
  // How many that have ended are known; fewer if their ledgers are large.
  static constexpr size_t kMaxKept = 16;
  static constexpr size_t kMaxKeptEvents = 500'000;

  // What the runner has, but for its planner; of `deps` are used store,
  // producers, clock and random. All MUST outlive this.
  DryRuns(const RunnerDeps& deps, ProducerConfigs configs,
          const RunnerOptions& options);

  // Stops those that go on.
  ~DryRuns();

  DryRuns(const DryRuns&) = delete;
  DryRuns& operator=(const DryRuns&) = delete;

  // Carries out a dry run and returns when it has ended. Rates of calls are not
  // kept to, so it takes the time of planning and little more. One that would
  // wait for somebody, as at a budget, ends as cancelled and says for what.
  // Errors of StartRun, and
  // - INVALID_ARGUMENT: `if_active` is set.
  // - RESOURCE_EXHAUSTED: kMaxAtOnce go on.
  // - UNAVAILABLE: the runner shuts down, or the store cannot be reached.
  absl::StatusOr<v1::StartRunResponse> Start(
      const v1::StartRunRequest& request);

  // Carries a recorded run out once more, as ReplayRun says, with the errors
  // that it names. Of the store it takes what a dry run does.
  absl::StatusOr<v1::ReplayRunResponse> Replay(
      const v1::ReplayRunRequest& request);

  // Null if there is none of that id, or it is not known any more.
  std::shared_ptr<const EndedDryRun> Find(absl::string_view run_id);

  // Ends those that go on with UNAVAILABLE, and takes no more; does not wait.
  void Stop();

 private:
  class Watch;
  class Seat;

  absl::StatusOr<std::shared_ptr<const EndedDryRun>> CarryOut(
      const v1::StartRunRequest& request, v1::PlanHeader* plan);
  // dry_runs_replay.cc
  absl::StatusOr<v1::ReplayRunResponse> ReplayOnCopy(
      const v1::ReplayRunRequest& request);
  void Keep(std::shared_ptr<const EndedDryRun> run);

  const RunnerDeps deps_;
  const ProducerConfigs configs_;
  const RunnerOptions options_;

  Mutex mu_;
  CondVar cv_;  // a dry run went on, ended, or is to stop
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  int under_way_ ABSL_GUARDED_BY(mu_) = 0;
  std::deque<std::shared_ptr<const EndedDryRun>> kept_
      ABSL_GUARDED_BY(mu_);  // the oldest first
  size_t kept_events_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_REPLAY_DRY_RUNS_H_

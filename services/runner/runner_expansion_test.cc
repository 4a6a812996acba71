// Plans that are to be expanded by a planner that does not answer. Producers
// are held by the test.

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "common/clock.h"
#include "common/random.h"
#include "common/testing/status_matchers.h"
#include "common/threads/call_stop.h"
#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"
#include "services/planner/store_planner.h"
#include "services/planner/testing/forwarding_planner.h"
#include "services/runner/runner.h"
#include "services/runner/testing/held_producers.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {
namespace {

// Takes a list, and says nothing until it is told to stop.
class HangingPlanner final : public ForwardingPlanner {
 public:
  using ForwardingPlanner::ForwardingPlanner;

  absl::StatusOr<v1::ExpandDeferredGroupResponse> ExpandDeferredGroup(
      const v1::ExpandDeferredGroupRequest& /*request*/,
      CallStop& stop) override {
    bool stopped = false;
    const CallStop::Way way(stop, [this, &stopped] {
      MutexLock lock(mu_);
      stopped = true;
      changed_.SignalAll();
    });
    MutexLock lock(mu_);
    ++asked_;
    ++open_;
    changed_.SignalAll();
    while (!stopped) changed_.Wait(mu_);
    --open_;
    return absl::CancelledError("cut short");
  }

  void WaitForCalls(int asked) {
    const int64_t deadline = DeadlineAfter(RealClock(), kPatience);
    MutexLock lock(mu_);
    while (asked_ < asked) {
      ASSERT_TRUE(changed_.WaitUntil(mu_, deadline) || asked_ >= asked);
    }
  }
  int open() {
    MutexLock lock(mu_);
    return open_;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  int asked_ ABSL_GUARDED_BY(mu_) = 0;
  int open_ ABSL_GUARDED_BY(mu_) = 0;
};

class RunnerExpansionTest : public RunnerFixture {
 protected:
  RunnerExpansionTest() {
    ProducerConfigs configs;
    configs["sim"] = {{"sim"}, 4, 3, absl::Minutes(5)};
    runner_ =
        std::make_unique<Runner>(RunnerDeps{store(), planner_, producers_,
                                            threads_, clock_, SystemRandom()},
                                 configs, RunnerOptions());
  }

  std::string StartOn(const std::string& movie_id,
                      const std::string& blueprint) {
    MakeMovie(blueprint, movie_id);
    v1::StartRunRequest request = StartRequest();
    request.set_movie_id(movie_id);
    const absl::StatusOr<v1::StartRunResponse> started =
        runner_->Start(request);
    EXPECT_OK(started);
    return started.ok() ? started->run().run_id() : "";
  }

  // A run whose list has landed.
  std::string StartAndLand(const std::string& movie_id) {
    std::string run_id = StartOn(movie_id, Scenes("{}"));
    producers_.WaitForAttempt("Script");
    producers_.Succeed("Script");
    return run_id;
  }

  HeldProducers producers_;
  StorePlanner base_{store()};
  HangingPlanner planner_{base_};
  ThreadPool threads_{"runner", 3};
  std::unique_ptr<Runner> runner_;
};

TEST_F(RunnerExpansionTest, AStopCutsItShort) {
  const std::string run_id = StartAndLand("film");
  planner_.WaitForCalls(1);
  runner_.reset();
  EXPECT_EQ(planner_.open(), 0);
  // Nobody has ended the run.
  v1::GetRunRecordRequest get;
  get.set_run_id(run_id);
  ASSERT_OK_AND_ASSIGN(const v1::GetRunRecordResponse found,
                       store().runs.Get(get));
  EXPECT_EQ(found.record().status(), v1::RUN_STATUS_RUNNING);
}

TEST_F(RunnerExpansionTest, ACancelledRunDoesNotWaitForIt) {
  const std::string run_id = StartAndLand("film");
  planner_.WaitForCalls(1);
  v1::CancelRunRequest cancel;
  cancel.set_run_id(run_id);
  ASSERT_OK(runner_->Cancel(cancel));
  EXPECT_TRUE(Ledger(run_id).back().has_run_cancelled());
  runner_->Drain(kPatience);
  EXPECT_EQ(planner_.open(), 0);
}

// More runs than the runner has threads.
TEST_F(RunnerExpansionTest, ItLeavesTheThreadsToOtherRuns) {
  for (int i = 0; i < 4; ++i) StartAndLand(absl::StrCat("film-", i));
  planner_.WaitForCalls(2);
  StartOn("other", Chain("{}"));
  producers_.WaitForAttempt("A");
  EXPECT_EQ(planner_.open(), 2);
}

}  // namespace
}  // namespace kinora

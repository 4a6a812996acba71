// Runners that end, or are cut off from their store, while something takes its
// time. Producers are held by the test; the clock of leases is virtual.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/random.h"
#include "common/testing/manual_executor.h"
#include "common/testing/status_matchers.h"
#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"
#include "services/planner/store_planner.h"
#include "services/runner/runner.h"
#include "services/runner/testing/held_producers.h"
#include "services/runner/testing/late_answer.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {
namespace {

// Something that is waited for until the test lets it happen.
class Gate {
 public:
  void Enter() {
    MutexLock lock(mu_);
    ++entered_;
    changed_.SignalAll();
    while (!open_) changed_.Wait(mu_);
  }
  void WaitForEntry(int times = 1) {
    MutexLock lock(mu_);
    while (entered_ < times) changed_.Wait(mu_);
  }
  void Open() {
    MutexLock lock(mu_);
    open_ = true;
    changed_.SignalAll();
  }

 private:
  Mutex mu_;
  CondVar changed_;
  int entered_ ABSL_GUARDED_BY(mu_) = 0;
  bool open_ ABSL_GUARDED_BY(mu_) = false;
};

class RunnerOutageTest : public RunnerFixture {
 protected:
  RunnerOutageTest() { process_.reset(); }
  ~RunnerOutageTest() override {
    gate_.Open();
    runner_.reset();
  }

  // A run of A and D whose store is silent once it has taken an event that is
  // of this kind; null for a store that answers.
  std::string StartRun(LateAnswer::Which silent_after = nullptr) {
    if (silent_after == nullptr) {
      silent_after = [](const v1::Event&) { return false; };
    }
    late_ = std::make_unique<LateAnswer>(store(), std::move(silent_after),
                                         [this] { gate_.Enter(); });
    planner_ = std::make_unique<StorePlanner>(late_->store());
    ProducerConfigs configs;
    configs["sim"] = {{"sim"}, 4, 3, absl::Minutes(5)};
    RunnerOptions options;
    options.retry.initial = absl::Milliseconds(1);
    runner_ = std::make_unique<Runner>(
        RunnerDeps{late_->store(), *planner_, producers_, executor_, clock_,
                   SystemRandom(), nullptr, nullptr, &watchdog_, &renewals_},
        configs, options);
    MakeMovie(Chain("{}"));
    const absl::StatusOr<v1::StartRunResponse> started =
        runner_->Start(StartRequest());
    EXPECT_OK(started);
    return started.ok() ? started->run().run_id() : "";
  }

  static constexpr int kThreads = 4;

  HeldProducers producers_;
  ManualExecutor watchdog_{clock_};
  ManualExecutor renewals_{clock_};
  Gate gate_;
  std::unique_ptr<LateAnswer> late_;
  std::unique_ptr<StorePlanner> planner_;
  // Its timers are real: in virtual time only `renewals_` do anything.
  ThreadPool executor_{"runner", kThreads};
  std::unique_ptr<Runner> runner_;
};

// SIGTERM: what would answer the question may take as long as a provider, and
// nothing may come back to a runner that is gone.
TEST_F(RunnerOutageTest, TheEndCutsALookUpShortAndWaitsForIt) {  // F: B-10
  const std::string run_id = StartRun();
  producers_.WaitForAttempt("A");
  producers_.Lose("A");
  producers_.WaitForLookUp();
  runner_.reset();
  EXPECT_EQ(producers_.looking(), 0);
  // Nobody has ended the run.
  v1::GetRunRecordRequest get;
  get.set_run_id(run_id);
  ASSERT_OK_AND_ASSIGN(const v1::GetRunRecordResponse found,
                       store().runs.Get(get));
  EXPECT_EQ(found.record().status(), v1::RUN_STATUS_RUNNING);
}

// The network swallows what is sent: no call fails, none is answered.
// F: Invariant 11 (who cannot know that the lease is held gives its calls up)
TEST_F(RunnerOutageTest, CallsAreGivenUpWhenTheLeaseCannotBeConfirmed) {
  StartRun([](const v1::Event& event) { return event.has_artefact(); });
  producers_.WaitForAttempt("A");
  producers_.WaitForAttempt("D");
  producers_.Succeed("A");
  gate_.WaitForEntry();
  watchdog_.Advance(RunnerOptions().lease_ttl);
  producers_.WaitForCancel("D");  // while the store is silent still
  gate_.Open();
  runner_->Drain(kPatience);
  EXPECT_EQ(producers_.calls(), 2);
}

// The same for calls that were about to be made.
TEST_F(RunnerOutageTest, NothingIsCalledOnceTheLeaseIsGivenUp) {
  StartRun(&TellsOfAStart);
  gate_.WaitForEntry();
  watchdog_.Advance(RunnerOptions().lease_ttl);
  gate_.Open();
  runner_->Drain(kPatience);
  EXPECT_EQ(producers_.calls(), 0);
}

// Every thread waits for something that takes its time; the store answers.
TEST_F(RunnerOutageTest, ALeaseIsRenewedThoughEveryThreadIsBusy) {
  StartRun();
  producers_.WaitForAttempt("A");
  producers_.WaitForAttempt("D");
  for (int i = 0; i < kThreads; ++i) {
    executor_.Post([this] { gate_.Enter(); });
  }
  gate_.WaitForEntry(kThreads);
  for (int i = 0; i < 9; ++i) {
    renewals_.Advance(RunnerOptions().lease_ttl / 3);
    watchdog_.RunUntilIdle();
  }
  v1::AcquireLeaseRequest acquire;
  acquire.set_lease_id("movie/film");
  acquire.set_holder("another-runner");
  acquire.set_purpose("anything");
  acquire.mutable_ttl()->set_seconds(6);
  EXPECT_EQ(ReasonOf(store().leases.Acquire(acquire).status()), "LEASE_HELD");
  gate_.Open();
  producers_.Succeed("A");
  producers_.WaitForAttempt("B");
}

}  // namespace
}  // namespace kinora

// What becomes of attempts that were lost: of what they have cost, and of jobs
// that are in doubt. Producers are held by the test.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "gtest/gtest.h"

#include "common/cost_text.h"
#include "common/executor.h"
#include "common/mutex.h"
#include "common/random.h"
#include "common/testing/status_matchers.h"
#include "common/thread_pool.h"
#include "services/planner/store_planner.h"
#include "services/runner/runner.h"
#include "services/runner/testing/held_producers.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {
namespace {

constexpr char kTwo[] = R"(
blueprint: two
nodes:
  A:
    producer: sim
    outputs: {AText: text/plain}
  B:
    producer: sim
    outputs: {BText: text/plain}
outputs: [AText, BText]
)";

// Timers of a minute and more ring when the test says so.
class HeldTimers final : public Executor {
 public:
  void Post(Task task) override { threads_.Post(std::move(task)); }
  TimerId PostAfter(absl::Duration delay, Task task) override {
    if (delay < absl::Minutes(1)) {
      return threads_.PostAfter(delay, std::move(task));
    }
    MutexLock lock(mu_);
    held_.push_back(std::move(task));
    return UINT64_MAX - held_.size();
  }
  bool Cancel(TimerId id) override { return threads_.Cancel(id); }

  void Ring() {
    std::vector<Task> ringing;
    {
      MutexLock lock(mu_);
      ringing.swap(held_);
    }
    for (Task& task : ringing) task();
  }

 private:
  Mutex mu_;
  std::vector<Task> held_ ABSL_GUARDED_BY(mu_);
  ThreadPool threads_{"runner", 4};
};

class RunnerLostAttemptsTest : public RunnerFixture {
 protected:
  ~RunnerLostAttemptsTest() override { carrier_.reset(); }

  // A run both jobs of which are being called, at most so often.
  std::string Start(uint32_t max_attempts) {
    ProducerConfigs configs;
    configs["sim"] = {{"sim"}, 4, max_attempts, absl::Minutes(5)};
    configs["sim"].in_doubt = v1::IN_DOUBT_POLICY_WAIT;
    RunnerOptions options;
    // A wait ends by what the test does.
    options.retry.initial = absl::Hours(1000);
    options.retry.longest = absl::Hours(1000);
    carrier_ = std::make_unique<Runner>(
        RunnerDeps{store(), planner_, producers_, executor_, clock_, random_},
        configs, options);
    producers_.AnswerLookUps(v1::LOOK_UP_STATE_UNKNOWN);
    MakeMovie(kTwo);
    const absl::StatusOr<v1::StartRunResponse> started =
        carrier_->Start(StartRequest());
    EXPECT_OK(started);
    producers_.WaitForAttempt("A");
    producers_.WaitForAttempt("B");
    return started.ok() ? started->run().run_id() : "";
  }

  absl::Status Retry(const std::string& run_id, const std::string& job_id) {
    v1::RetryRunRequest request;
    request.set_run_id(run_id);
    request.set_job_id(job_id);
    return carrier_->Retry(request).status();
  }

  // Until the ledger says this of the job.
  void Await(const std::string& run_id, const std::string& type,
             const std::string& job_id) {
    Ledger(run_id, [&](const v1::LedgerEvent& event) {
      return event.job().type() == type && event.job().job_id() == job_id;
    });
  }

  StorePlanner planner_{store()};
  HeldProducers producers_;
  SeededRandom random_{7};
  HeldTimers executor_;
  std::unique_ptr<Runner> carrier_;
};

// Its timer goes on, and rings when the job waits for somebody's decision.
TEST_F(RunnerLostAttemptsTest, AJobInDoubtCanBeRetriedOnceItsTimerHasRung) {
  const std::string run_id = Start(/*max_attempts=*/3);
  producers_.Lose("A");
  Await(run_id, "retrying", "A");
  ASSERT_OK(Retry(run_id, "A"));
  Await(run_id, "in_doubt", "A");
  executor_.Ring();
  // The run has taken up the timer when it has taken up what came behind it.
  producers_.Fail("B");
  Await(run_id, "retrying", "B");
  EXPECT_OK(Retry(run_id, "A"));
  producers_.WaitForAttempt("A");
}

// F: Invariant 14
TEST_F(RunnerLostAttemptsTest, WhatTheLastAttemptHasReportedStaysSpent) {
  const std::string run_id = Start(/*max_attempts=*/1);
  producers_.Lose("A", ParseCostText("USD 0.50").value_or(v1::Cost()));
  producers_.Succeed("B");
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_FAILED);
  EXPECT_EQ(FormatCost(run.record().cost()), "0.50 USD");
  // What the run has counted by itself is in its record.
  carrier_.reset();
  ASSERT_OK_AND_ASSIGN(const v1::ListRunsResponse listed,
                       runner().List(v1::ListRunsRequest()));
  ASSERT_EQ(listed.runs_size(), 1);
  EXPECT_EQ(FormatCost(listed.runs(0).cost()), "0.50 USD");
}

}  // namespace
}  // namespace kinora

// What becomes of attempts that were lost: of what they have cost, and of jobs
// that are in doubt. Producers are held by the test.

#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "common/cost_text.h"
#include "common/testing/status_matchers.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"
#include "services/runner/testing/held_runner_fixture.h"

namespace kinora {
namespace {

// What is urgent comes up while the other one is called, and both do not fit
// into the budget.
constexpr char kEdge[] = R"(
blueprint: edge
nodes:
  Root:
    producer: sim
    outputs: {RootText: text/plain}
  Urgent:
    producer: sim
    price: {min: 0.01, max: 0.02, currency: USD}
    limits: {priority: 10}
    inputs: {root: RootText}
    outputs: {UrgentText: text/plain}
  Known:
    producer: sim
    price: {min: 0.01, max: 0.02, currency: USD}
    outputs: {KnownText: text/plain}
outputs: [UrgentText, KnownText]
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

class RunnerLostAttemptsTest : public HeldRunnerFixture {
 protected:
  ~RunnerLostAttemptsTest() override { carrier_.reset(); }

  // A run both jobs of which are being called, at most so often.
  std::string Start(uint32_t max_attempts) {
    CarryOn(store(), executor_, max_attempts);
    producers_.AnswerLookUps(v1::LOOK_UP_STATE_UNKNOWN);
    std::string run_id = StartRun(kTwo);
    producers_.WaitForAttempt("A");
    producers_.WaitForAttempt("B");
    return run_id;
  }

  // Until the ledger says this of the job.
  void Await(const std::string& run_id, const std::string& type,
             const std::string& job_id) {
    Ledger(run_id, [&](const v1::LedgerEvent& event) {
      return event.job().type() == type && event.job().job_id() == job_id;
    });
  }

  HeldTimers executor_;
};

// Its timer goes on, and rings when the job waits for somebody's decision.
TEST_F(RunnerLostAttemptsTest, AJobInDoubtCanBeRetriedOnceItsTimerHasRung) {
  const std::string run_id = Start(/*max_attempts=*/3);
  producers_.Lose("A");
  Await(run_id, "retrying", "A");
  ASSERT_OK(RetryAt(*carrier_, run_id, "A"));
  Await(run_id, "in_doubt", "A");
  executor_.Ring();
  // The run has taken up the timer when it has taken up what came behind it.
  producers_.Fail("B");
  Await(run_id, "retrying", "B");
  EXPECT_OK(RetryAt(*carrier_, run_id, "A"));
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

// Its end is in the ledger, though its runner is about to go, and so must be
// what it has cost. F: Invariant 14
TEST_F(RunnerLostAttemptsTest, WhatAnAttemptThatAsksInAStopHasCostStaysSpent) {
  const std::string run_id = Start(/*max_attempts=*/3);
  producers_.Ask("A", /*takes_answer=*/false);
  Await(run_id, "question", "A");
  std::thread stop([this] { carrier_->Drain(kPatience); });
  // Who is told that has been told behind the run.
  while (!absl::IsUnavailable(carrier_->Start(StartRequest()).status())) {
    std::this_thread::yield();
  }
  producers_.AwaitAnswer("A", ParseCostText("USD 0.50").value_or(v1::Cost()));
  producers_.Succeed("B");
  stop.join();
  v1::GetRunRequest get;
  get.set_run_id(run_id);
  ASSERT_OK_AND_ASSIGN(const v1::GetRunResponse left, runner().Get(get));
  EXPECT_EQ(FormatCost(left.run().record().cost()), "0.50 USD");
  EXPECT_EQ(left.run().reserved_size(), 0);
}

// Both would be paid for else: the one that is known, which was, and the one
// that waits for a budget. F: Invariant 14
TEST_F(RunnerLostAttemptsTest, TheMoneyOfWorkThatIsKnownIsKeptForItsJob) {
  CarryOn(store(), executor_);
  v1::StartRunRequest request = StartRequest();
  *request.mutable_budget() = ParseCostText("USD 0.03").value_or(v1::Cost());
  const std::string run_id = StartRun(kEdge, request);
  producers_.WaitForAttempt("Root");
  producers_.WaitForAttempt("Known");
  producers_.Succeed("Root");
  Ledger(run_id, [](const v1::LedgerEvent& event) {
    return event.step_completed().step().step_id() == "Root";
  });
  producers_.Lose("Known");
  Await(run_id, "retrying", "Known");
  producers_.AnswerLookUps(v1::LOOK_UP_STATE_FINISHED);
  ASSERT_OK(RetryAt(*carrier_, run_id, "Known"));
  // It does not wait behind the urgent one either, which does not fit.
  producers_.WaitForAttempt("Known");
  EXPECT_EQ(producers_.calls(), 3);
  producers_.Succeed("Known");

  v1::SetRunBudgetRequest raise;
  raise.set_run_id(run_id);
  *raise.mutable_cap() = ParseCostText("USD 0.04").value_or(v1::Cost());
  ASSERT_OK(carrier_->SetBudget(raise));
  producers_.WaitForAttempt("Urgent");
  producers_.Succeed("Urgent");
  bool is_raised = false;
  for (const v1::LedgerEvent& event : Ledger(run_id)) {
    is_raised = is_raised || event.run_budget().cap().micros() == 40'000;
    EXPECT_TRUE(is_raised || event.step_started().step().step_id() != "Urgent");
  }
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED);
  carrier_.reset();
  ASSERT_OK_AND_ASSIGN(const v1::ListRunsResponse listed,
                       runner().List(v1::ListRunsRequest()));
  ASSERT_EQ(listed.runs_size(), 1);
  EXPECT_EQ(FormatCost(listed.runs(0).cost()), "0.04 USD");
}

// A producer that is away for a moment can tell then that the work is known,
// and what its job holds is enough.
TEST_F(RunnerLostAttemptsTest, NobodyIsAskedForMoneyWhileADoubtIsLookedInto) {
  CarryOn(store(), executor_);
  v1::StartRunRequest request = StartRequest();
  *request.mutable_budget() = ParseCostText("USD 0.03").value_or(v1::Cost());
  const std::string run_id = StartRun(kEdge, request);
  producers_.WaitForAttempt("Root");
  producers_.WaitForAttempt("Known");
  producers_.FailLookUps();
  producers_.Lose("Known");
  Await(run_id, "retrying", "Known");
  ASSERT_OK(RetryAt(*carrier_, run_id, "Known"));
  Await(run_id, "in_doubt", "Known");
  producers_.Succeed("Root");
  Ledger(run_id, [](const v1::LedgerEvent& event) {
    return event.run_waiting().reason() == "in_doubt";
  });
  producers_.AnswerLookUps(v1::LOOK_UP_STATE_FINISHED);
  producers_.WaitForAttempt("Known");
  for (const v1::LedgerEvent& event :
       Ledger(run_id, [](const v1::LedgerEvent& e) {
         return e.step_started().step().step_id() == "Known" &&
                e.step_started().attempt() == 2;
       })) {
    EXPECT_NE(event.job().type(), "over_budget");
  }
}

}  // namespace
}  // namespace kinora

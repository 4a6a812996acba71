// Jobs that may take so long in all. Producers are held by the test, and the
// time stands still but for what the test lets pass.

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/random.h"
#include "common/testing/status_matchers.h"
#include "common/threads/thread_pool.h"
#include "services/planner/store_planner.h"
#include "services/runner/runner.h"
#include "services/runner/testing/held_producers.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RunnerDeadlinesTest : public RunnerFixture {
 protected:
  RunnerDeadlinesTest() {
    process_.reset();
    producers_.AnswerLookUps(v1::LOOK_UP_STATE_NEVER_STARTED);
    runner_ = NewRunner();
  }
  ~RunnerDeadlinesTest() override { runner_.reset(); }

  std::unique_ptr<Runner> NewRunner() {
    ProducerConfigs configs;
    configs["sim"] = {{"sim"}, 4, 100, absl::Minutes(5)};
    RunnerOptions options;
    options.lease_ttl = absl::Hours(1);  // more than passes in any test
    options.retry.initial = options.retry.longest = absl::ZeroDuration();
    return std::make_unique<Runner>(
        RunnerDeps{store(), planner_, producers_, executor_, clock_,
                   SystemRandom()},
        configs, options);
  }

  // A run of A and D; A may take 30 s.
  std::string Start() {
    std::string blueprint = Chain("{}");
    blueprint.insert(blueprint.find("    outputs: {AText"),
                     "    limits: {job_timeout_seconds: 30}\n");
    MakeMovie(blueprint);
    const absl::StatusOr<v1::StartRunResponse> started =
        runner_->Start(StartRequest());
    EXPECT_OK(started);
    producers_.WaitForAttempt("A");
    producers_.WaitForAttempt("D");
    return started.ok() ? started->run().run_id() : "";
  }

  // Another runner goes on with the run after so much time.
  void Adopt(absl::Duration later) {
    runner_.reset();
    clock_.Advance(later);
    runner_ = NewRunner();
    ASSERT_OK(runner_->AdoptOpenRuns());
  }

  // "JOB error" and "JOB" of jobs that failed and that were finished, in the
  // order of their ends, once the run has ended.
  std::vector<std::string> Ends(const std::string& run_id) {
    std::vector<std::string> ends;
    for (const v1::LedgerEvent& event : Ledger(run_id)) {
      if (event.has_step_failed()) {
        ends.push_back(absl::StrCat(event.step_failed().step().step_id(), " ",
                                    event.step_failed().error()));
      }
      if (event.has_step_completed()) {
        ends.push_back(event.step_completed().step().step_id());
      }
      if (event.has_step_skipped()) {
        ends.push_back(absl::StrCat(event.step_skipped().step().step_id(), " ",
                                    event.step_skipped().reason()));
      }
    }
    return ends;
  }

  HeldProducers producers_;
  StorePlanner planner_{store()};
  ThreadPool executor_{"runner", 3};  // its timers are real
  std::unique_ptr<Runner> runner_;
};

// F: S1-53
TEST_F(RunnerDeadlinesTest, AJobFailsWhenItsTimeIsOverAndTheOthersGoOn) {
  const std::string run_id = Start();
  EXPECT_EQ(producers_.TimeoutOf("A"), absl::Seconds(30));
  EXPECT_EQ(producers_.TimeoutOf("D"), absl::Minutes(5));
  clock_.Advance(absl::Seconds(20));
  producers_.Fail("A");
  producers_.WaitForAttempt("A");
  // What is left is all that this one has.
  EXPECT_EQ(producers_.TimeoutOf("A"), absl::Seconds(10));
  clock_.Advance(absl::Seconds(10));
  producers_.TimeOut("A");
  Ledger(run_id, [](const v1::LedgerEvent& event) {
    return event.step_skipped().step().step_id() == "C";
  });
  producers_.Succeed("D");
  EXPECT_THAT(Ends(run_id),
              ElementsAre("A job timeout of 30 s is over after 2 attempts: no "
                          "result in time",
                          "B blocked", "C blocked", "D"));
  EXPECT_THAT(Ledger(run_id).back().run_failed().error(),
              HasSubstr("job A: job timeout of 30 s"));
  EXPECT_EQ(producers_.calls(), 3);
}

// F: B-16
TEST_F(RunnerDeadlinesTest, WhoeverGoesOnWithTheRunKeepsToIt) {
  const std::string run_id = Start();
  clock_.Advance(absl::Seconds(10));
  Adopt(absl::Seconds(12));
  producers_.WaitForAttempt("A");
  EXPECT_EQ(producers_.TimeoutOf("A"), absl::Seconds(8));
  producers_.WaitForAttempt("D");
  producers_.Succeed("D");
  clock_.Advance(absl::Seconds(8));
  producers_.TimeOut("A");
  EXPECT_THAT(Ends(run_id),
              ElementsAre("D",
                          "A job timeout of 30 s is over after 2 attempts: no "
                          "result in time",
                          "B blocked", "C blocked"));
}

// F: B-16
TEST_F(RunnerDeadlinesTest, AJobWhoseTimeIsOverIsNotCalledByTheNextRunner) {
  const std::string run_id = Start();
  Adopt(absl::Minutes(1));
  producers_.WaitForAttempt("D");
  producers_.Succeed("D");
  EXPECT_THAT(Ends(run_id),
              ElementsAre("A job timeout of 30 s is over after 1 attempt",
                          "B blocked", "C blocked", "D"));
  EXPECT_EQ(producers_.calls(), 3);  // D twice
}

// A person has all the time in the world.
// F: S3-23
TEST_F(RunnerDeadlinesTest, WaitingForAnAnswerIsNotCounted) {
  const std::string run_id = Start();
  clock_.Advance(absl::Seconds(10));
  producers_.Ask("A", /*takes_answer=*/true);
  Ledger(run_id, [](const v1::LedgerEvent& event) {
    return event.job().type() == "question";
  });
  clock_.Advance(absl::Minutes(10));
  producers_.TimeOut("A");
  Ledger(run_id, [](const v1::LedgerEvent& event) {
    return event.job().type() == "asking";
  });
  v1::AnswerQuestionRequest answer;
  answer.set_run_id(run_id);
  answer.set_job_id("A");
  answer.mutable_answer()->set_question_id("go");
  answer.mutable_answer()->set_value_json("true");
  ASSERT_OK(runner_->AnswerQuestion(answer));
  producers_.WaitForAttempt("A");
  EXPECT_EQ(producers_.TimeoutOf("A"), absl::Seconds(20));
}

}  // namespace
}  // namespace kinora

// Starts that wait for their turn, and starts that replace a run.

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/runner/runner.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Its first attempt ends only with its process.
constexpr char kSlowOnce[] = "{delay_ms: 600000, slow_attempts: 1}";

class RunnerQueueTest : public RunnerFixture {
 protected:
  static v1::StartRunRequest Request(v1::IfActive if_active) {
    v1::StartRunRequest request = StartRequest();
    request.set_if_active(if_active);
    return request;
  }
  std::string Start(const v1::StartRunRequest& request) {
    return StartAt(runner(), request);
  }
  static std::string StartAt(Runner& runner,
                             const v1::StartRunRequest& request) {
    absl::StatusOr<v1::StartRunResponse> started = runner.Start(request);
    EXPECT_OK(started);
    return started.ok() ? started->run().run_id() : "";
  }
  std::string Queue() { return Start(Request(v1::IF_ACTIVE_QUEUE)); }

  absl::Status Cancel(const std::string& run_id) {
    v1::CancelRunRequest request;
    request.set_run_id(run_id);
    request.set_reason("enough");
    return runner().Cancel(request).status();
  }
  v1::RunRecord Record(const std::string& run_id) {
    v1::GetRunRequest request;
    request.set_run_id(run_id);
    const absl::StatusOr<v1::GetRunResponse> run = runner().Get(request);
    EXPECT_OK(run);
    return run.ok() ? run->run().record() : v1::RunRecord();
  }
  std::vector<std::string> Queued() {
    v1::ListRunsRequest request;
    request.set_movie_id("film");
    request.add_statuses(v1::RUN_STATUS_QUEUED);
    const absl::StatusOr<v1::ListRunsResponse> runs = runner().List(request);
    EXPECT_OK(runs);
    std::vector<std::string> ids;
    if (!runs.ok()) return ids;
    for (const v1::RunRecord& run : runs->runs()) ids.push_back(run.run_id());
    return ids;
  }
  void AwaitStart(const std::string& run_id) {
    Ledger(run_id, [](const v1::LedgerEvent& event) {
      return event.has_run_started();
    });
  }
  void AwaitB(const std::string& run_id) {
    Ledger(run_id, [](const v1::LedgerEvent& event) {
      return event.step_started().step().step_id() == "B";
    });
  }
  void SetBlueprint(const std::string& blueprint) {
    v1::SetBlueprintRequest request;
    request.set_movie_id("film");
    request.set_blueprint(blueprint);
    ASSERT_OK(store().movies.SetBlueprint(request));
  }
};

// F: Decision 4
TEST_F(RunnerQueueTest, QueuedRunsBeginOneAfterAnother) {
  MakeMovie(Chain("{}", kSlowOnce));
  const std::string first = Start(StartRequest());
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse queued,
                       runner().Start(Request(v1::IF_ACTIVE_QUEUE)));
  EXPECT_EQ(queued.run().status(), v1::RUN_STATUS_QUEUED);
  EXPECT_FALSE(queued.has_plan());
  const std::string& second = queued.run().run_id();
  const std::string third = Queue();
  EXPECT_THAT(Queued(), ElementsAre(third, second));
  EXPECT_EQ(Record(second).status(), v1::RUN_STATUS_QUEUED);

  AwaitB(first);
  ASSERT_OK(Cancel(first));
  AwaitStart(second);
  EXPECT_EQ(Record(first).status(), v1::RUN_STATUS_CANCELLED);
  EXPECT_THAT(Queued(), ElementsAre(third));
  EXPECT_THAT(Record(second).plan_hash(), Not(IsEmpty()));
  EXPECT_EQ(Record(second).queued_request_json(), "");

  AwaitB(second);
  ASSERT_OK(Cancel(second));
  AwaitStart(third);
  EXPECT_EQ(Record(second).status(), v1::RUN_STATUS_CANCELLED);
  EXPECT_THAT(Queued(), IsEmpty());
}

TEST_F(RunnerQueueTest, WithNothingActiveAQueuedRunBeginsAtOnce) {
  MakeMovie(Chain("{}"));
  for (v1::IfActive if_active : {v1::IF_ACTIVE_QUEUE, v1::IF_ACTIVE_REPLACE}) {
    ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse started,
                         runner().Start(Request(if_active)));
    EXPECT_EQ(started.run().status(), v1::RUN_STATUS_RUNNING);
    EXPECT_TRUE(started.has_plan());
    EXPECT_EQ(Finish(started.run().run_id()).record().status(),
              v1::RUN_STATUS_COMPLETED);
  }
}

// Its edits are not in the way of those who look before its turn.
TEST_F(RunnerQueueTest, EditsAndPlanAreMadeWhenTheTurnComes) {
  MakeMovie(Chain("{}", kSlowOnce));
  const std::string first = Start(StartRequest());
  v1::StartRunRequest request = StartRequest({{"Topic", "mountains"}});
  request.set_if_active(v1::IF_ACTIVE_QUEUE);
  const std::string second = Start(request);
  const auto topic = [this] {
    v1::ListInputsRequest list;
    list.set_movie_id("film");
    const absl::StatusOr<v1::ListInputsResponse> inputs =
        store().events.ListInputs(list);
    EXPECT_OK(inputs);
    if (!inputs.ok()) return std::string();
    for (const v1::Event& event : inputs->inputs()) {
      if (event.input().input_id() == "Input:Topic") {
        return event.input().content().inline_().data();
      }
    }
    return std::string();
  };
  EXPECT_EQ(topic(), "");
  // The plan is made from what there is then.
  SetBlueprint(Chain("{}"));
  AwaitB(first);
  ASSERT_OK(Cancel(first));
  const v1::RunSnapshot run = Finish(second);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_EQ(run.record().published_revision(), "rev-0001");
  EXPECT_EQ(topic(), "mountains");
}

TEST_F(RunnerQueueTest, BadEditsAreRefusedAndNothingIsQueued) {
  MakeMovie(Chain("{}", kSlowOnce));
  Start(StartRequest());
  v1::StartRunRequest request = StartRequest({{"Topik", "x"}});
  request.set_if_active(v1::IF_ACTIVE_QUEUE);
  EXPECT_THAT(runner().Start(request),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Topik")));
  EXPECT_THAT(Queued(), IsEmpty());
}

TEST_F(RunnerQueueTest, OfAQueuedRunNoJobWaitsForAnAttempt) {
  MakeMovie(Chain("{}", kSlowOnce));
  Start(StartRequest());
  v1::RetryRunRequest retry;
  retry.set_run_id(Queue());
  ASSERT_OK_AND_ASSIGN(const v1::RetryRunResponse retried,
                       runner().Retry(retry));
  EXPECT_EQ(retried.job_ids_size(), 0);
  retry.set_job_id("B");
  EXPECT_THAT(runner().Retry(retry),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("does not wait")));
}

TEST_F(RunnerQueueTest, AQueuedRunIsCancelledAndCannotBePaused) {
  MakeMovie(Chain("{}", kSlowOnce));
  const std::string first = Start(StartRequest());
  const std::string second = Queue();
  v1::PauseRunRequest pause;
  pause.set_run_id(second);
  EXPECT_THAT(runner().Pause(pause),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("waits for its turn")));
  ASSERT_OK(Cancel(second));
  const v1::RunSnapshot run = Finish(second);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_CANCELLED);
  EXPECT_EQ(run.record().error(), "enough");
  EXPECT_THAT(Queued(), IsEmpty());
  EXPECT_EQ(ReasonOf(Cancel(second)), "RUN_TERMINAL");
  Ledger(first,
         [](const v1::LedgerEvent& event) { return event.has_run_started(); });
  EXPECT_EQ(Record(first).status(), v1::RUN_STATUS_RUNNING);
}

TEST_F(RunnerQueueTest, TheSameRequestIsQueuedOnce) {
  MakeMovie(Chain("{}", kSlowOnce));
  Start(StartRequest());
  v1::StartRunRequest request = Request(v1::IF_ACTIVE_QUEUE);
  request.set_request_id("once");
  const std::string second = Start(request);
  EXPECT_EQ(Start(request), second);
  EXPECT_THAT(Queued(), ElementsAre(second));
}

// The queue is in the store: it needs no runner to be kept.
TEST_F(RunnerQueueTest, TheQueueOutlivesItsRunner) {
  MakeMovie(Chain("{}", kSlowOnce));
  const std::string first = Start(StartRequest());
  const std::string second = Queue();
  AwaitB(first);
  process_.reset();
  process_ = NewProcess();
  EXPECT_THAT(Queued(), ElementsAre(second));
  ASSERT_OK(runner().AdoptOpenRuns());
  // The one that was active goes on first.
  EXPECT_EQ(Finish(first).record().status(), v1::RUN_STATUS_COMPLETED);
  const v1::RunSnapshot run = Finish(second);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_EQ(run.record().jobs().clean(), 4);
}

TEST_F(RunnerQueueTest, AQueuedRunIsBegunByWhoeverFindsIt) {
  MakeMovie(Chain("{}", kSlowOnce));
  const std::string first = Start(StartRequest());
  const std::string second = Queue();
  AwaitB(first);
  process_.reset();
  process_ = NewProcess();
  // Nobody carries it out: it is closed at once.
  ASSERT_OK(Cancel(first));
  AwaitStart(second);
}

// One that cannot begin says why and does not stand in the way.
TEST_F(RunnerQueueTest, APlanWhoseBaseIsGoneEndsTheQueuedRun) {
  MakeMovie(Chain("{}", kSlowOnce));
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse first,
                       runner().Start(StartRequest()));
  v1::StartRunRequest request = Request(v1::IF_ACTIVE_QUEUE);
  request.set_plan_hash(first.plan().plan_hash());
  const std::string second = Start(request);
  const std::string third = Queue();
  AwaitB(first.run().run_id());
  process_.reset();
  process_ = NewProcess();
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_EQ(Finish(first.run().run_id()).record().status(),
            v1::RUN_STATUS_COMPLETED);
  const v1::RunSnapshot run = Finish(second);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_FAILED);
  EXPECT_THAT(run.record().error(), HasSubstr("plan again"));
  EXPECT_EQ(Finish(third).record().status(), v1::RUN_STATUS_COMPLETED);
}

// F: Decision 4
TEST_F(RunnerQueueTest, AReplacementCancelsWhatIsActiveAndGoesFirst) {
  MakeMovie(Chain("{}", kSlowOnce));
  const std::string first = Start(StartRequest());
  const std::string queued = Queue();
  AwaitB(first);
  const std::string replacement = Start(Request(v1::IF_ACTIVE_REPLACE));
  EXPECT_THAT(Finish(first).record().error(),
              HasSubstr("replaced by " + replacement));
  AwaitStart(replacement);
  EXPECT_EQ(Record(first).status(), v1::RUN_STATUS_CANCELLED);
  EXPECT_THAT(Queued(), ElementsAre(queued));
}

// Who replaces a run need not be the one that carries it out.
TEST_F(RunnerQueueTest, ARunOfAnotherProcessIsReplaced) {
  MakeMovie(Chain("{}", kSlowOnce));
  const std::string first = Start(StartRequest());
  AwaitB(first);
  const std::unique_ptr<RunnerProcess> other = NewProcess();
  const std::string replacement =
      StartAt(other->runner(), Request(v1::IF_ACTIVE_REPLACE));
  EXPECT_EQ(Finish(first).record().status(), v1::RUN_STATUS_CANCELLED);
  AwaitStart(replacement);
  AwaitB(replacement);
}

// A run that ended before its turn had come is started anew as it was asked
// for.
TEST_F(RunnerQueueTest, ACancelledQueuedRunIsResumed) {
  MakeMovie(Chain("{}", kSlowOnce));
  const std::string first = Start(StartRequest());
  v1::StartRunRequest request = StartRequest({{"Topic", "mountains"}});
  request.set_if_active(v1::IF_ACTIVE_QUEUE);
  const std::string second = Start(request);
  ASSERT_OK(Cancel(second));
  AwaitB(first);
  ASSERT_OK(Cancel(first));
  Finish(first);
  v1::ResumeRunRequest resume;
  resume.set_run_id(second);
  ASSERT_OK_AND_ASSIGN(const v1::ResumeRunResponse resumed,
                       runner().Resume(resume));
  EXPECT_EQ(resumed.run().resumes_run_id(), second);
  EXPECT_EQ(resumed.run().status(), v1::RUN_STATUS_RUNNING);
  AwaitB(resumed.run().run_id());
}

}  // namespace
}  // namespace kinora

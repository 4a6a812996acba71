// Runs that somebody pauses and resumes.

#include <functional>
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

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// Slow at its first attempt only, which is the one that is interrupted.
constexpr char kSlowOnce[] = "{delay_ms: 600000, slow_attempts: 1}";

// One after another, each long enough for a request to come in between.
constexpr char kParts[] = R"(
blueprint: parts
dimensions:
  part: {size: 3}
nodes:
  Part:
    producer: single
    over: [part]
    settings: {delay_ms: 2000}
    outputs: {Text: text/plain}
outputs: [Text]
)";

// Two producers wait for a third job.
constexpr char kFork[] = R"(
blueprint: fork
nodes:
  Root:
    producer: sim
    settings: {delay_ms: 2000}
    outputs: {RootText: text/plain}
  Held:
    producer: single
    inputs: {root: RootText}
    outputs: {HeldText: text/plain}
  Free:
    producer: sim
    inputs: {root: RootText}
    outputs: {FreeText: text/plain}
outputs: [HeldText, FreeText]
)";

class RunnerPauseTest : public RunnerFixture {
 protected:
  std::string Start(const v1::StartRunRequest& request) {
    absl::StatusOr<v1::StartRunResponse> started = runner().Start(request);
    EXPECT_OK(started);
    return started.ok() ? started->run().run_id() : "";
  }
  absl::Status Pause(const std::string& run_id,
                     const std::string& producer = "") {
    v1::PauseRunRequest request;
    request.set_run_id(run_id);
    request.set_producer(producer);
    return runner().Pause(request).status();
  }
  absl::StatusOr<v1::RunRecord> Resume(const std::string& run_id,
                                       const std::string& producer = "") {
    v1::ResumeRunRequest request;
    request.set_run_id(run_id);
    request.set_producer(producer);
    absl::StatusOr<v1::ResumeRunResponse> response = runner().Resume(request);
    if (!response.ok()) return response.status();
    return response->run();
  }
  absl::Status Cancel(const std::string& run_id) {
    v1::CancelRunRequest request;
    request.set_run_id(run_id);
    return runner().Cancel(request).status();
  }
  v1::RunSnapshot Get(const std::string& run_id) {
    v1::GetRunRequest request;
    request.set_run_id(run_id);
    const absl::StatusOr<v1::GetRunResponse> run = runner().Get(request);
    EXPECT_OK(run);
    return run.ok() ? run->run() : v1::RunSnapshot();
  }

  static std::function<bool(const v1::LedgerEvent&)> Started(
      const std::string& job) {
    return [job](const v1::LedgerEvent& event) {
      return event.step_started().step().step_id() == job;
    };
  }
  static std::function<bool(const v1::LedgerEvent&)> Completed(
      const std::string& job) {
    return [job](const v1::LedgerEvent& event) {
      return event.step_completed().step().step_id() == job;
    };
  }
  // The run says that it stands still because of a pause.
  static bool SaysPaused(const v1::LedgerEvent& event) {
    return event.run_waiting().reason() == "paused" &&
           !event.run_waiting().requested();
  }

  // A run whose job B never ends in this process.
  std::string StartUntilB() {
    MakeMovie(Chain("{}", kSlowOnce));
    const std::string run_id = Start(StartRequest());
    bool d = false;
    bool b = false;
    Ledger(run_id, [&](const v1::LedgerEvent& event) {
      d = d || event.step_completed().step().step_id() == "D";
      b = b || event.step_started().step().step_id() == "B";
      return d && b;
    });
    return run_id;
  }
};

TEST_F(RunnerPauseTest, WhatRunsLandsAndNothingElseIsCalled) {
  MakeMovie(kParts);
  const std::string run_id = Start(StartRequest());
  Ledger(run_id, Started("Part[part=0]"));
  ASSERT_OK(Pause(run_id));
  v1::RunSnapshot run = Get(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_WAITING);
  EXPECT_EQ(run.wait_reason(), "paused");
  EXPECT_TRUE(run.paused());

  // What follows a job is in the ledger together with its end.
  Ledger(run_id, Completed("Part[part=0]"));
  run = Get(run_id);
  EXPECT_THAT(Jobs(run), UnorderedElementsAre("Part[part=0] completed"));
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_WAITING);
  EXPECT_EQ(calls(), 1);

  // Again: nothing is written.
  ASSERT_OK(Pause(run_id));
  EXPECT_EQ(Get(run_id).last_sequence(), run.last_sequence());

  ASSERT_OK_AND_ASSIGN(const v1::RunRecord resumed, Resume(run_id));
  EXPECT_EQ(resumed.run_id(), run_id);
  run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_FALSE(run.paused());
  EXPECT_EQ(calls(), 3);
  EXPECT_EQ(ReasonOf(Pause(run_id)), "RUN_TERMINAL");

  // Nothing is left to do, and the revision is that of any other run.
  const std::string manifest = ManifestJson(store());
  EXPECT_THAT(Jobs(RunToEnd(StartRequest())), IsEmpty());
  EXPECT_EQ(ManifestJson(store()), manifest);
}

TEST_F(RunnerPauseTest, ResumingWhatIsNotPausedWritesNothing) {
  const std::string run_id = StartUntilB();
  const int64_t before = Get(run_id).last_sequence();
  ASSERT_OK_AND_ASSIGN(v1::RunRecord run, Resume(run_id));
  EXPECT_EQ(run.run_id(), run_id);
  ASSERT_OK(Resume(run_id, "sim"));
  EXPECT_EQ(Get(run_id).last_sequence(), before);
}

TEST_F(RunnerPauseTest, APausedProducerHoldsUpNobodyElse) {
  MakeMovie(kFork);
  const std::string run_id = Start(StartRequest());
  Ledger(run_id, Started("Root"));
  ASSERT_OK(Pause(run_id, "single"));
  v1::RunSnapshot run = Get(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_RUNNING);
  EXPECT_THAT(run.paused_producers(), ElementsAre("single"));
  EXPECT_FALSE(run.paused());

  // The others go on until there is nothing but what is paused.
  Ledger(run_id, SaysPaused);
  run = Get(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_WAITING);
  EXPECT_EQ(run.wait_reason(), "paused");
  EXPECT_THAT(Jobs(run),
              UnorderedElementsAre("Root completed", "Free completed"));

  ASSERT_OK(Resume(run_id, "single"));
  run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_THAT(Jobs(run), Contains("Held completed"));
}

TEST_F(RunnerPauseTest, WhoResumesARunMeansItsProducersToo) {
  MakeMovie(kFork);
  const std::string run_id = Start(StartRequest());
  Ledger(run_id, Started("Root"));
  ASSERT_OK(Pause(run_id, "single"));
  ASSERT_OK(Pause(run_id));
  ASSERT_OK(Resume(run_id, "single"));
  EXPECT_TRUE(Get(run_id).paused());
  ASSERT_OK(Pause(run_id, "single"));
  ASSERT_OK(Resume(run_id));
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
}

TEST_F(RunnerPauseTest, AnUnknownProducerIsNamedWithThoseThereAre) {
  MakeMovie(kFork);
  const std::string run_id = Start(StartRequest());
  Ledger(run_id, Started("Root"));
  const int64_t before = Get(run_id).last_sequence();
  const auto names_all =
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("producer"), HasSubstr("nobody"),
                     HasSubstr("sim, single")));
  EXPECT_THAT(Pause(run_id, "nobody"), names_all);
  EXPECT_THAT(Resume(run_id, "nobody"), names_all);
  EXPECT_EQ(Get(run_id).last_sequence(), before);
  EXPECT_EQ(ReasonOf(Pause(std::string(kRun1))), "RUN_NOT_FOUND");
}

TEST_F(RunnerPauseTest, APauseOutlivesItsRunner) {
  const std::string run_id = StartUntilB();
  ASSERT_OK(Pause(run_id));
  process_.reset();
  process_ = NewProcess();
  ASSERT_OK(runner().AdoptOpenRuns());
  Ledger(run_id, SaysPaused);  // after the adoption
  v1::RunSnapshot run = Get(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_WAITING);
  EXPECT_TRUE(run.paused());
  EXPECT_EQ(calls(), 0);

  // Who lists runs is told, too, and so is the next runner.
  process_.reset();
  process_ = NewProcess();
  v1::ListRunsRequest waiting;
  waiting.add_statuses(v1::RUN_STATUS_WAITING);
  ASSERT_OK_AND_ASSIGN(const v1::ListRunsResponse runs, runner().List(waiting));
  ASSERT_EQ(runs.runs_size(), 1);
  EXPECT_EQ(runs.runs(0).run_id(), run_id);
  ASSERT_OK(runner().AdoptOpenRuns());
  ASSERT_OK(Resume(run_id));
  run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_EQ(calls(), 2);  // B and C
}

TEST_F(RunnerPauseTest, ARunThatNobodyCarriesOutIsPausedAllTheSame) {
  const std::string run_id = StartUntilB();
  process_.reset();
  process_ = NewProcess();
  ASSERT_OK(Pause(run_id, "sim"));
  EXPECT_THAT(Get(run_id).paused_producers(), ElementsAre("sim"));
  ASSERT_OK(runner().AdoptOpenRuns());
  Ledger(run_id, SaysPaused);
  EXPECT_EQ(calls(), 0);
  ASSERT_OK(Resume(run_id));
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
}

TEST_F(RunnerPauseTest, APausedRunIsCancelled) {
  const std::string run_id = StartUntilB();
  ASSERT_OK(Pause(run_id));
  ASSERT_OK(Cancel(run_id));
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_CANCELLED);
  EXPECT_FALSE(run.paused());
}

// A wait that is cut short ends at the pause, which is not cut short.
TEST_F(RunnerPauseTest, ARetryDoesNotCallWhatIsPaused) {
  const std::string run_id = StartUntilB();
  ASSERT_OK(Pause(run_id));
  process_.reset();
  // Its work may have been paid for: it is in doubt.
  process_ = NewProcess({.price_micros = 1'000'000});
  ASSERT_OK(runner().AdoptOpenRuns());
  Ledger(run_id, [](const v1::LedgerEvent& event) {
    return event.job().type() == "in_doubt";
  });
  v1::RetryRunRequest retry;
  retry.set_run_id(run_id);
  ASSERT_OK_AND_ASSIGN(const v1::RetryRunResponse retried,
                       runner().Retry(retry));
  EXPECT_THAT(retried.job_ids(), ElementsAre("B"));
  EXPECT_TRUE(Get(run_id).paused());
  EXPECT_EQ(calls(), 0);
  ASSERT_OK(Resume(run_id));
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
}

// F: Decision 14
// F: S3-5 (with the options that it was started with)
TEST_F(RunnerPauseTest, ResumingARunThatFailedStartsANewOne) {
  MakeMovie(Chain("{}", "{fail_attempts: 3}"));
  v1::StartRunRequest request = StartRequest();
  request.set_dispatch(v1::DISPATCH_MODE_LAYERED);
  request.set_max_concurrency(2);
  (*request.mutable_labels())["why"] = "test";
  const v1::RunSnapshot failed = RunToEnd(request);
  ASSERT_EQ(failed.record().status(), v1::RUN_STATUS_FAILED);
  const std::string& failed_id = failed.record().run_id();
  EXPECT_EQ(ReasonOf(Resume(failed_id, "sim").status()), "RUN_TERMINAL");

  v1::SetBlueprintRequest fix;
  fix.set_movie_id("film");
  fix.set_blueprint(Chain("{}", kSlowOnce));
  ASSERT_OK(store().movies.SetBlueprint(fix));
  ASSERT_OK_AND_ASSIGN(const v1::RunRecord resumed, Resume(failed_id));
  EXPECT_NE(resumed.run_id(), failed_id);
  EXPECT_EQ(resumed.resumes_run_id(), failed_id);
  EXPECT_EQ(resumed.dispatch(), v1::DISPATCH_MODE_LAYERED);
  EXPECT_EQ(resumed.max_concurrency(), 2u);
  EXPECT_EQ(resumed.labels().at("why"), "test");

  // It is active now, and the one that has ended stays as it is.
  Ledger(resumed.run_id(), Started("B"));
  EXPECT_THAT(Jobs(Get(resumed.run_id())),
              UnorderedElementsAre("A skipped reused", "D skipped reused",
                                   "B running"));
  const absl::Status second = Resume(failed_id).status();
  EXPECT_EQ(ReasonOf(second), "RUN_ACTIVE") << second;
  EXPECT_EQ(Get(failed_id).record().status(), v1::RUN_STATUS_FAILED);
}

// What was to be made anew has been, by the run that is resumed: nobody pays
// for it again.
TEST_F(RunnerPauseTest, AResumedRunKeepsItsScopeAndMakesNothingAnewTwice) {
  MakeMovie(Chain("{}"));
  RunToEnd(StartRequest());
  const auto set_blueprint = [this](const std::string& blueprint) {
    v1::SetBlueprintRequest request;
    request.set_movie_id("film");
    request.set_blueprint(blueprint);
    ASSERT_OK(store().movies.SetBlueprint(request));
  };
  set_blueprint(Chain("{}", kSlowOnce));
  v1::StartRunRequest request = StartRequest();
  request.mutable_scope()->add_regenerate("Artifact:DText");
  const std::string run_id = Start(request);
  bool d = false;
  bool b = false;
  Ledger(run_id, [&](const v1::LedgerEvent& event) {
    d = d || event.step_completed().step().step_id() == "D";
    b = b || event.step_started().step().step_id() == "B";
    return d && b;
  });
  ASSERT_OK(Cancel(run_id));
  Finish(run_id);
  set_blueprint(Chain("{}"));
  const int64_t before = calls();
  ASSERT_OK_AND_ASSIGN(const v1::RunRecord resumed, Resume(run_id));
  const v1::RunSnapshot run = Finish(resumed.run_id());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_THAT(Jobs(run), Contains("D skipped reused"));
  EXPECT_EQ(calls(), before);
}

}  // namespace
}  // namespace kinora

// Runs whose callers execute their steps, one runner at a time.

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "clients/cpp/runner_client.h"
#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/runner/testing/runner_steps_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using RunnerStepsTest = RunnerStepsFixture;

TEST_F(RunnerStepsTest, StepsMakeTheRevisionThatARunMakes) {  // F: S1-44, S1-61
  MakeMovie(Chain("{log_lines: 2}"));
  const Planned planned = MakePlan();
  const v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  ASSERT_EQ(planned.plan.layers_size(), 3);
  EXPECT_THAT(Execute(Layer(planned, 0, lease)),
              ElementsAre("A completed", "D completed"));
  EXPECT_THAT(Execute(Layer(planned, 1, lease)), ElementsAre("B completed"));
  EXPECT_THAT(Execute(Layer(planned, 2, lease)), ElementsAre("C completed"));
  ASSERT_OK_AND_ASSIGN(const v1::CommitRevisionResponse committed,
                       Commit(planned, lease));
  EXPECT_TRUE(committed.published());
  EXPECT_EQ(RecordOf(kRun1).status(), v1::RUN_STATUS_RUNNING);
  EXPECT_TRUE(RecordOf(kRun1).stepwise());
  Release(lease);
  ASSERT_OK(runner().AdoptOpenRuns());
  const v1::RunRecord record = RecordOf(kRun1);
  EXPECT_EQ(record.status(), v1::RUN_STATUS_COMPLETED) << record.error();
  EXPECT_EQ(record.published_revision(), "rev-0001");
  EXPECT_EQ(record.jobs().succeeded(), 4);

  v1::CreateMovieRequest twin;
  twin.set_movie_id("twin");
  twin.set_blueprint(Chain("{log_lines: 2}"));
  ASSERT_OK(store().movies.Create(twin));
  v1::StartRunRequest start;
  start.set_movie_id("twin");
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse run, client_.StartRun(start));
  ASSERT_OK(client_.WatchRun(run.run().run_id(), 0, [](const v1::Event&) {
    return absl::OkStatus();
  }));
  EXPECT_EQ(RecordOf(run.run().run_id()).manifest_hash(),
            committed.current().hash());
}

TEST_F(RunnerStepsTest, AFinishedLayerCallsNobodyAgain) {  // F: Invariant 6
  MakeMovie(Chain("{}"));
  const Planned planned = MakePlan();
  const v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  Execute(Layer(planned, 0, lease));
  EXPECT_EQ(calls(), 2);
  EXPECT_THAT(Execute(Layer(planned, 0, lease)),
              ElementsAre("A completed", "D completed"));
  EXPECT_EQ(calls(), 2);
  // Another run takes over what the first one made.
  EXPECT_THAT(Execute(Layer(planned, 0, lease, kRun2)),
              ElementsAre("A skipped reused", "D skipped reused"));
  EXPECT_EQ(calls(), 2);
  EXPECT_EQ(RecordOf(kRun1).status(), v1::RUN_STATUS_CANCELLED);
  EXPECT_THAT(RecordOf(kRun1).error(), HasSubstr(kRun2));
  EXPECT_THAT(client_.ExecuteLayer(Layer(planned, 1, lease)),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("has ended already")));
}

TEST_F(RunnerStepsTest, JobsOfALayerGoOnAtOnceInOneLedger) {
  MakeMovie(Chain("{delay_ms: 20, log_lines: 3}"));
  const Planned planned = MakePlan();
  const v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  std::vector<std::thread> callers;
  // Each job twice: the second call for it waits for the first.
  for (const char* job : {"A", "D", "A", "D"}) {
    callers.emplace_back([this, &planned, &lease, job] {
      const absl::StatusOr<v1::ExecuteJobResponse> answer =
          client_.ExecuteJob(Job(planned, job, lease));
      EXPECT_OK(answer);
      EXPECT_EQ(answer.value_or(v1::ExecuteJobResponse()).job().status(),
                "completed");
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(calls(), 2);
  std::map<std::string, int> seen;
  Ledger(std::string(kRun1), [&seen](const v1::LedgerEvent& event) {
    if (event.has_run_created()) ++seen["created"];
    if (event.has_run_started()) ++seen["started"];
    if (event.has_step_started()) ++seen["step"];
    return event.has_step_completed() && ++seen["completed"] == 2;
  });
  EXPECT_EQ(seen["created"], 1);
  EXPECT_EQ(seen["started"], 1);
  EXPECT_EQ(seen["step"], 2);
}

TEST_F(RunnerStepsTest, AFencedCallerIsRefused) {  // F: Invariant 11
  MakeMovie(Chain("{}"));
  const Planned planned = MakePlan();
  const v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  Execute(Layer(planned, 0, lease));
  clock_.Advance(absl::Hours(1));
  TakeFilmLease(store(), "another", kRun2);
  for (uint32_t layer : {0u, 1u}) {
    const absl::Status status =
        client_.ExecuteLayer(Layer(planned, layer, lease)).status();
    EXPECT_THAT(status,
                StatusIs(absl::StatusCode::kAborted, HasSubstr("another")));
    EXPECT_EQ(ReasonOf(status), "LEASE_LOST");
  }
  EXPECT_EQ(calls(), 2);
}

TEST_F(RunnerStepsTest, ALeaseLostOnTheWayLeavesNoResult) {  // F: Invariant 11
  MakeMovie(Chain("{delay_ms: 1000}"));
  const Planned planned = MakePlan();
  const v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  ASSERT_OK(client_.ExecuteJob(Job(planned, "D", lease)));
  absl::Status status;
  std::thread caller([this, &planned, &lease, &status] {
    status = client_.ExecuteJob(Job(planned, "A", lease)).status();
  });
  Ledger(std::string(kRun1),
         [](const v1::LedgerEvent& event) { return event.has_step_started(); });
  clock_.Advance(absl::Hours(1));
  TakeFilmLease(store(), "another", kRun2);
  caller.join();
  EXPECT_EQ(ReasonOf(status), "LEASE_LOST") << status;
  v1::ResolveArtefactsRequest resolve;
  resolve.set_movie_id("film");
  resolve.add_queries()->set_artefact_id("Artifact:AText");
  ASSERT_OK_AND_ASSIGN(const v1::ResolveArtefactsResponse resolved,
                       store().events.ResolveArtefacts(resolve));
  EXPECT_FALSE(resolved.artefacts(0).found());
}

TEST_F(RunnerStepsTest, AnInputWithoutAResultIsToldBeforeAnybodyIsCalled) {
  // F: Invariant 5
  MakeMovie(Chain("{}"));
  const Planned planned = MakePlan();
  const v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  ASSERT_OK_AND_ASSIGN(const v1::ExecuteLayerResponse answer,
                       client_.ExecuteLayer(Layer(planned, 1, lease)));
  ASSERT_EQ(answer.jobs_size(), 1);
  EXPECT_EQ(answer.jobs(0).status(), "failed");
  EXPECT_EQ(answer.jobs(0).failure().reason(),
            v1::FAILURE_REASON_INPUT_UNRESOLVED);
  EXPECT_THAT(answer.jobs(0).detail(), HasSubstr("Artifact:AText"));
  EXPECT_EQ(calls(), 0);
  Execute(Layer(planned, 0, lease));
  EXPECT_THAT(Execute(Layer(planned, 1, lease)), ElementsAre("B completed"));
}

TEST_F(RunnerStepsTest, AFailedJobIsTriedAnewByTheNextCall) {
  MakeMovie(Chain("{fail_attempts: 3}"));
  const Planned planned = MakePlan();
  const v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  ASSERT_OK_AND_ASSIGN(v1::ExecuteJobResponse answer,
                       client_.ExecuteJob(Job(planned, "A", lease)));
  EXPECT_EQ(answer.job().status(), "failed");
  EXPECT_EQ(answer.job().attempts(), 3u);
  EXPECT_TRUE(answer.job().failure().retryable());
  EXPECT_THAT(answer.job().detail(), HasSubstr("simulated UNAVAILABLE"));
  ASSERT_OK_AND_ASSIGN(answer, client_.ExecuteJob(Job(planned, "A", lease)));
  EXPECT_EQ(answer.job().status(), "completed");
  EXPECT_EQ(answer.job().attempts(), 4u);
}

TEST_F(RunnerStepsTest, ATimeoutCancelsTheAttempt) {
  MakeMovie(Chain("{delay_ms: 600000, slow_attempts: 1}"));
  const Planned planned = MakePlan();
  const v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  v1::ExecuteJobRequest request = Job(planned, "A", lease);
  request.mutable_timeout()->set_seconds(2);
  ASSERT_OK_AND_ASSIGN(v1::ExecuteJobResponse answer,
                       client_.ExecuteJob(request));
  EXPECT_EQ(answer.job().status(), "failed");
  EXPECT_EQ(answer.job().failure().reason(),
            v1::FAILURE_REASON_DEADLINE_EXCEEDED);
  EXPECT_THAT(answer.job().detail(), HasSubstr("within 2s"));
  ASSERT_OK_AND_ASSIGN(answer, client_.ExecuteJob(Job(planned, "A", lease)));
  EXPECT_EQ(answer.job().status(), "completed");
  EXPECT_EQ(answer.job().attempts(), 2u);
}

TEST_F(RunnerStepsTest, ACallerThatGoesCancelsTheAttempt) {
  MakeMovie(Chain("{delay_ms: 600000, slow_attempts: 1}"));
  const Planned planned = MakePlan();
  const v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  RunnerClientOptions impatient;
  impatient.execute_timeout = absl::Seconds(2);
  RunnerClient client(server_.Channel(Transport::kTcp), impatient);
  EXPECT_THAT(client.ExecuteJob(Job(planned, "A", lease)),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  // The next call finds nothing under way, and waits if there still is.
  ASSERT_OK_AND_ASSIGN(const v1::ExecuteJobResponse answer,
                       client_.ExecuteJob(Job(planned, "A", lease)));
  EXPECT_EQ(answer.job().status(), "completed");
}

TEST_F(RunnerStepsTest, OnlyItsCallerGoesOnWithARun) {
  MakeMovie(Chain("{}"));
  const Planned planned = MakePlan();
  const v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  Execute(Layer(planned, 0, lease));
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_EQ(RecordOf(kRun1).status(), v1::RUN_STATUS_RUNNING);
  clock_.Advance(absl::Hours(1));
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_EQ(RecordOf(kRun1).status(), v1::RUN_STATUS_CANCELLED);
  EXPECT_THAT(RecordOf(kRun1).error(), HasSubstr("its caller"));
  EXPECT_EQ(calls(), 2);
  // What it finished is reused.
  EXPECT_EQ(RunToEnd(StartRequest()).record().status(),
            v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(calls(), 4);
}

// A run that another's revision has overtaken has not published it.
TEST_F(RunnerStepsTest, ARunIsNotCompletedByAnothersRevision) {
  MakeMovie(Chain("{}"));
  const Planned planned = MakePlan();
  v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  Execute(Layer(planned, 0, lease));
  ASSERT_OK(store().events.Append(
      ArtefactMade("Artifact:AText", 'a', "by hand", lease, kRun2)));
  ASSERT_OK(
      store().manifests.Commit(CommitOf(lease, kRun2, "rev-0001", "", 1)));
  Release(lease);
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_EQ(RecordOf(kRun1).status(), v1::RUN_STATUS_CANCELLED);
}

TEST_F(RunnerStepsTest, WhatThePlanReusesIsPartOfTheRevision) {  // F: S1-22
  MakeMovie(Chain("{}"));
  RunToEnd(StartRequest({{"Topic", "sea"}}));
  RunAndLetGo(StartRequest({{"Topic", "mountains"}}));
  const int64_t before = calls();
  ASSERT_OK(store().events.Append(InputEdit("Input:Topic", "sea", "rev-0003")));
  const Planned planned = MakePlan();
  ASSERT_EQ(planned.plan.layers_size(), 0);
  ASSERT_THAT(planned.plan.reused(), SizeIs(3));
  const v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  EXPECT_THAT(Execute(Layer(planned, 0, lease)), IsEmpty());
  ASSERT_OK_AND_ASSIGN(const v1::ExecuteJobResponse reused,
                       client_.ExecuteJob(Job(planned, "B", lease)));
  EXPECT_EQ(reused.job().detail(), "reused");
  ASSERT_OK_AND_ASSIGN(const v1::CommitRevisionResponse committed,
                       Commit(planned, lease));
  EXPECT_TRUE(committed.published());
  EXPECT_EQ(calls(), before);
  Release(lease);
  ASSERT_OK(runner().AdoptOpenRuns());
  // Nothing is left to do: the revision has all that it must have.
  EXPECT_THAT(Jobs(RunToEnd(StartRequest())), IsEmpty());
}

// A commit that changes nothing publishes nothing, and is a good end.
TEST_F(RunnerStepsTest, WhatChangesNothingIsCompletedWithoutARevision) {
  MakeMovie(Chain(R"({text: "always the same"})"));
  RunAndLetGo(StartRequest());
  const Planned planned = MakePlan();
  ASSERT_EQ(planned.plan.layers_size(), 0);
  const v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  EXPECT_THAT(Execute(Layer(planned, 0, lease)), IsEmpty());
  ASSERT_OK_AND_ASSIGN(const v1::CommitRevisionResponse committed,
                       Commit(planned, lease));
  EXPECT_FALSE(committed.published());
  Release(lease);
  ASSERT_OK(runner().AdoptOpenRuns());
  const v1::RunRecord record = RecordOf(kRun1);
  EXPECT_EQ(record.status(), v1::RUN_STATUS_COMPLETED) << record.error();
  EXPECT_EQ(record.published_revision(), "");
  EXPECT_EQ(record.manifest_hash(), CurrentOf(store()).hash());
}

TEST_F(RunnerStepsTest, AListIsExecutedThenPlannedAgain) {  // F: B-2
  MakeMovie(Scenes(R"({text: '["a", "b"]'})"));
  const Planned first = MakePlan();
  const v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  EXPECT_THAT(client_.ExecuteJob(Job(first, "Clip[segment=0]", lease)),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("Clip")));
  EXPECT_THAT(Execute(Layer(first, 0, lease)), ElementsAre("Script completed"));

  const Planned second = MakePlan();
  ASSERT_TRUE(second.plan.deferred().empty());
  ASSERT_EQ(second.plan.layers_size(), 2);
  EXPECT_THAT(
      Execute(Layer(second, 0, lease, kRun2)),
      ElementsAre("Clip[segment=0] completed", "Clip[segment=1] completed"));
  EXPECT_THAT(Execute(Layer(second, 1, lease, kRun2)),
              ElementsAre("Film completed"));
  ASSERT_OK(Commit(second, lease, kRun2));
  EXPECT_EQ(calls(), 4);
  Release(lease);
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_EQ(RecordOf(kRun2).status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_THAT(Jobs(RunToEnd(StartRequest())), IsEmpty());
}

TEST_F(RunnerStepsTest, WhatDoesNotFitIsNamed) {
  MakeMovie(Chain("{}"));
  const Planned planned = MakePlan();
  const v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  EXPECT_THAT(client_.ExecuteLayer(Layer(planned, 3, lease)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("the plan has 3 layers")));
  EXPECT_THAT(client_.ExecuteJob(Job(planned, "Z", lease)),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("\"Z\"")));
  v1::ExecuteLayerRequest request = Layer(planned, 0, lease);
  request.set_plan_hash(HashOf('a'));
  EXPECT_EQ(ReasonOf(client_.ExecuteLayer(request).status()), "PLAN_NOT_FOUND");
  request = Layer(planned, 0, lease, "run-x");
  EXPECT_THAT(client_.ExecuteLayer(request),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("run")));
  request = Layer(planned, 0, lease);
  request.mutable_lease()->set_lease_id("movie/other");
  EXPECT_THAT(client_.ExecuteLayer(request),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("must be movie/film")));
  v1::ExecuteJobRequest job = Job(planned, "A", lease);
  job.mutable_timeout()->set_seconds(-1);
  EXPECT_THAT(
      client_.ExecuteJob(job),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("timeout")));
  // Nothing was begun by any of them.
  v1::GetRunRequest get;
  get.set_run_id(std::string(kRun1));
  EXPECT_EQ(ReasonOf(client_.GetRun(get).status()), "RUN_NOT_FOUND");
  EXPECT_EQ(calls(), 0);

  Execute(Layer(planned, 0, lease));
  ASSERT_OK(store().events.Append(InputEdit("Input:Side", "right")));
  const Planned other = MakePlan();
  EXPECT_THAT(client_.ExecuteLayer(Layer(other, 0, lease)),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr(planned.hash), HasSubstr(other.hash))));
}

TEST_F(RunnerStepsTest, ABaseThatMovedIsToldOf) {  // F: S1-28
  MakeMovie(Chain("{}"));
  const Planned planned = MakePlan();
  RunAndLetGo(StartRequest());
  const v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  const int64_t before = calls();
  const absl::Status status =
      client_.ExecuteLayer(Layer(planned, 0, lease)).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(ReasonOf(status), "BASE_CHANGED");
  EXPECT_EQ(calls(), before);
}

}  // namespace
}  // namespace kinora

// Whole runs: a store in memory, the real planner, the simulated producer
// behind an in-process channel.

#include "services/runner/runner.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/testing/status_matchers.h"
#include "services/planner/store_planner.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class RunnerTest : public RunnerFixture {};

TEST_F(RunnerTest, FirstRunMakesEverythingAndTheNextNothing) {  // F: S1-39
  MakeMovie(Chain("{}"));
  v1::RunSnapshot run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_THAT(Jobs(run), UnorderedElementsAre("A completed", "B completed",
                                              "C completed", "D completed"));
  EXPECT_EQ(CurrentOf(store()).revision(), "rev-0001");
  EXPECT_EQ(run.record().manifest_hash(), CurrentOf(store()).hash());

  run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_THAT(Jobs(run), IsEmpty());
  EXPECT_EQ(run.record().published_revision(), "");
  EXPECT_EQ(CurrentOf(store()).revision(), "rev-0001");
  EXPECT_EQ(calls(), 4);
}

// What depends on a step starts after the step's end is in the ledger, and the
// artefact is in the log before that.
TEST_F(RunnerTest, LedgerTellsTheStepsInOrder) {  // F: S0-4, S0-8
  MakeMovie(Chain("{log_lines: 2}"));
  absl::StatusOr<v1::StartRunResponse> started = runner().Start(StartRequest());
  ASSERT_OK(started);
  std::vector<std::string> seen;
  for (const v1::LedgerEvent& event : Ledger(started->run().run_id())) {
    if (event.has_run_created()) seen.push_back("created");
    if (event.has_run_started()) seen.push_back("started");
    if (event.step_started().step().step_id() == "A") seen.push_back("A>");
    if (event.log_appended().channel() == "A") {
      seen.push_back(absl::StrCat("A log ", event.log_appended().first_seq()));
    }
    if (event.step_completed().step().step_id() == "A") seen.push_back("A.");
    if (event.step_started().step().step_id() == "B") seen.push_back("B>");
    if (event.has_run_completed()) {
      EXPECT_THAT(event.run_completed().result_json(),
                  HasSubstr(R"("revision":"rev-0001")"));
      seen.push_back("completed");
    }
  }
  EXPECT_THAT(seen, ElementsAre("created", "started", "A>", "A log 1", "A.",
                                "B>", "completed"));
}

// A makes the same text whatever the topic is: B must not be called again.
TEST_F(RunnerTest, SameBytesUpstreamCutTheRunShort) {  // F: S1-26
  MakeMovie(Chain(R"({text: "always the same"})"));
  RunToEnd(StartRequest());
  v1::RunSnapshot run = RunToEnd(StartRequest({{"Topic", "mountains"}}));
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_THAT(Jobs(run), UnorderedElementsAre("A completed", "B skipped reused",
                                              "C skipped reused"));
  EXPECT_EQ(calls(), 5);
}

TEST_F(RunnerTest, OnlyWhatAChangeReachesRuns) {
  MakeMovie(Chain("{}"));
  RunToEnd(StartRequest());
  v1::RunSnapshot run = RunToEnd(StartRequest({{"Side", "right"}}));
  EXPECT_THAT(Jobs(run), UnorderedElementsAre("D completed"));
  EXPECT_EQ(run.record().jobs().clean(), 3);
}

// Those that a manifest lists, in canonical JSON.
std::string ArtefactsIn(const std::string& manifest) {
  const absl::StatusOr<JsonValue> json = ParseJson(manifest);
  EXPECT_OK(json);
  const JsonValue* const artefacts =
      json.ok() ? json->Find("artefacts") : nullptr;
  EXPECT_NE(artefacts, nullptr) << manifest;
  return artefacts == nullptr ? "" : CanonicalJson(*artefacts);
}

TEST_F(RunnerTest, UndoneEditCallsNobody) {  // F: S1-22
  MakeMovie(Chain("{}"));
  RunToEnd(StartRequest({{"Topic", "sea"}}));
  const std::string first = ArtefactsIn(ManifestJson(store()));
  RunToEnd(StartRequest({{"Topic", "mountains"}}));
  EXPECT_NE(ArtefactsIn(ManifestJson(store())), first);
  const int64_t before = calls();
  v1::RunSnapshot run = RunToEnd(StartRequest({{"Topic", "sea"}}));
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(calls(), before);
  EXPECT_EQ(CurrentOf(store()).revision(), "rev-0003");
  EXPECT_EQ(ArtefactsIn(ManifestJson(store())), first);
}

TEST_F(RunnerTest, FailedJobBlocksDownstreamAndLeavesCurrentAlone) {
  // F: B-9, S1-38
  MakeMovie(Chain("{fail_attempts: 9, fail_code: INVALID_ARGUMENT}"));
  v1::RunSnapshot run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_FAILED);
  EXPECT_THAT(run.record().error(), HasSubstr("job A"));
  EXPECT_EQ(run.record().jobs().blocked(), 2);
  EXPECT_EQ(run.record().jobs().failed(), 1);
  EXPECT_EQ(run.record().jobs().succeeded(), 1);  // D went on
  std::map<std::string, std::string> blocked_by;
  for (const v1::JobState& job : run.jobs()) {
    if (!job.blocked_by().empty()) blocked_by[job.job_id()] = job.blocked_by();
  }
  // C is told what has failed, not what could not be called for that.
  EXPECT_THAT(blocked_by, ElementsAre(Pair("B", "A"), Pair("C", "A")));
  EXPECT_EQ(CurrentOf(store()).revision(), "");
}

// By the very keys that plans and runs have: of a list, too, and of what wants
// a list for its own.
TEST_F(RunnerTest, WhatAFailedRunFinishedIsToldToBeMade) {  // F: B-12
  const std::string fails = "{fail_attempts: 3}";
  MakeMovie(Scenes(R"({text: '["a","b"]'})", "{}", fails));
  EXPECT_EQ(RunToEnd(StartRequest()).record().status(), v1::RUN_STATUS_FAILED);
  StorePlanner planner(store());
  auto why = [&planner](const std::string& id) {
    v1::ExplainArtefactRequest explain;
    explain.set_movie_id("film");
    explain.set_artefact_id(id);
    const absl::StatusOr<v1::ExplainArtefactResponse> explained =
        planner.ExplainArtefact(explain);
    EXPECT_OK(explained);
    if (!explained.ok() || explained->causes().empty()) return std::string();
    return explained->causes(0).reason().text();
  };
  EXPECT_EQ(why("Scenes"), "made, in no revision yet");
  EXPECT_EQ(why("Clip[segment=1]"), "made, in no revision yet");
  v1::SetBlueprintRequest edit;
  edit.set_movie_id("film");
  edit.set_blueprint(
      Scenes("{text: '[\"a\",\"b\"]'}\n    salt: again", "{}", fails));
  ASSERT_OK(store().movies.SetBlueprint(edit));
  EXPECT_EQ(why("Scenes"), "made, but not of what it reads now");
}

TEST_F(RunnerTest, RetryReachesSuccess) {
  MakeMovie(Chain("{fail_attempts: 2}"));
  v1::RunSnapshot run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_EQ(calls(), 6);
}

// Three attempts fail, then the run; the next run calls only what is missing.
TEST_F(RunnerTest, WhatAFailedRunFinishedIsReused) {  // F: S1-53
  MakeMovie(Chain("{}", "{fail_attempts: 3}"));
  v1::RunSnapshot run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_FAILED);
  const int64_t before = calls();
  EXPECT_EQ(before, 5);  // A, D, and B three times

  v1::SetBlueprintRequest fix;
  fix.set_movie_id("film");
  fix.set_blueprint(Chain("{}", "{}"));
  ASSERT_OK(store().movies.SetBlueprint(fix));
  run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_EQ(calls(), before + 2);  // B and C
  EXPECT_EQ(run.record().jobs().reused(), 2);
}

TEST_F(RunnerTest, AListDecidesHowManyJobsThereAre) {  // F: B-2
  MakeMovie(Scenes(R"({text: '["a", "b"]'})"));
  absl::StatusOr<v1::StartRunResponse> started = runner().Start(StartRequest());
  ASSERT_OK(started);
  EXPECT_EQ(started->plan().summary().deferred_nodes(), 2);
  std::string expanded;
  for (const v1::LedgerEvent& event : Ledger(started->run().run_id())) {
    if (event.job().type() != "expanded") continue;
    expanded = absl::StrCat(event.job().job_id(), ": ", event.job().message());
  }
  EXPECT_EQ(expanded, "Script: Artifact:Scenes: 3 more jobs, 0 reused");
  v1::RunSnapshot run = Finish(started->run().run_id());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_THAT(Jobs(run), UnorderedElementsAre(
                             "Script completed", "Clip[segment=0] completed",
                             "Clip[segment=1] completed", "Film completed"));
  EXPECT_EQ(run.record().jobs().total(), 4);
  EXPECT_THAT(Jobs(RunToEnd(StartRequest())), IsEmpty());

  // A shorter list: the clip that is gone leaves the revision.
  v1::SetBlueprintRequest shorter;
  shorter.set_movie_id("film");
  shorter.set_blueprint(Scenes(R"({text: '["a"]'})"));
  ASSERT_OK(store().movies.SetBlueprint(shorter));
  run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().published_revision(), "rev-0002")
      << run.record().error();
  EXPECT_THAT(ManifestJson(store()), HasSubstr("Artifact:Clip[segment=0]"));
  EXPECT_THAT(ManifestJson(store()), Not(HasSubstr("Clip[segment=1]")));

  // The longer one again: all of it was made before.
  v1::SetBlueprintRequest longer;
  longer.set_movie_id("film");
  longer.set_blueprint(Scenes(R"({text: '["a", "b"]'})"));
  ASSERT_OK(store().movies.SetBlueprint(longer));
  const int64_t before = calls();
  run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().published_revision(), "rev-0003");
  EXPECT_EQ(calls(), before);
}

TEST_F(RunnerTest, AFailedListBlocksWhatItDecides) {  // F: B-9
  MakeMovie(Scenes("{fail_attempts: 9, fail_code: INVALID_ARGUMENT}"));
  absl::StatusOr<v1::StartRunResponse> started = runner().Start(StartRequest());
  ASSERT_OK(started);
  std::set<std::string> blocked;
  for (const v1::LedgerEvent& event : Ledger(started->run().run_id())) {
    if (event.job().type() != "blocked") continue;
    EXPECT_THAT(event.job().message(), HasSubstr("Script failed"));
    blocked.insert(event.job().job_id());
  }
  EXPECT_THAT(blocked, UnorderedElementsAre("Clip", "Film"));
  EXPECT_EQ(CurrentOf(store()).revision(), "");
}

TEST_F(RunnerTest, AValueThatIsNoListEndsTheRun) {
  MakeMovie(Scenes(R"({text: '{"scenes": 2}'})"));
  const v1::RunSnapshot run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_FAILED);
  EXPECT_THAT(run.record().error(),
              HasSubstr("Artifact:Scenes is the size of dimension segment"));
}

// Four jobs that hold their places at once are seen to run at once.
TEST_F(RunnerTest, JobsRunInParallelUpToTheLimit) {  // F: S1-34, S1-47
  MakeMovie(Slow("sim", 8, 30));
  absl::StatusOr<v1::StartRunResponse> started = runner().Start(StartRequest());
  ASSERT_OK(started);
  int running = 0;
  int most = 0;
  for (const v1::LedgerEvent& event : Ledger(started->run().run_id())) {
    running += event.has_step_started() ? 1 : 0;
    running -= event.has_step_completed() ? 1 : 0;
    most = std::max(most, running);
  }
  EXPECT_EQ(most, 4);
}

// F: S0-1, S0-12, S0-23
// Sim checks the digest of what it is sent, so this shows both directions.
TEST_F(RunnerTest, LargeOutputsAreStreamedInBothDirections) {
  MakeMovie(R"(
blueprint: large
nodes:
  Big:
    producer: sim
    settings: {bytes: 67108864}
    outputs: {Blob: application/octet-stream}
  Reader:
    producer: sim
    inputs: {big: Blob}
    outputs: {Text: text/plain}
outputs: [Text]
)");
  v1::RunSnapshot run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_THAT(ManifestJson(store()), HasSubstr("67108864"));
}

TEST_F(RunnerTest, NewProducerVersionRunsItsJobsAgain) {  // F: B-4
  MakeMovie(Chain("{}"));
  RunToEnd(StartRequest());
  process_ = NewProcess({.version = "2"});
  v1::RunSnapshot run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_GE(calls(), 2);
}

}  // namespace
}  // namespace kinora

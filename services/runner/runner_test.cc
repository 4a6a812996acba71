// Whole runs: a store in memory, the real planner, the simulated producer
// behind an in-process channel.

#include "services/runner/runner.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/canonical_json.h"
#include "common/error_reason.h"
#include "common/json.h"
#include "common/testing/status_matchers.h"
#include "services/planner/store_planner.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
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

std::string Slow(const std::string& producer, int jobs, int delay_ms) {
  return absl::StrCat(R"(
blueprint: slow
dimensions:
  part: {size: )",
                      jobs, R"(}
nodes:
  Part:
    producer: )",
                      producer, R"(
    over: [part]
    settings: {delay_ms: )",
                      delay_ms, R"(}
    outputs: {Text: text/plain}
outputs: [Text]
)");
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

TEST_F(RunnerTest, SecondStartIsToldOfTheFirst) {
  MakeMovie(Slow("single", 1, 600'000));
  absl::StatusOr<v1::StartRunResponse> started = runner().Start(StartRequest());
  ASSERT_OK(started);
  absl::StatusOr<v1::StartRunResponse> second = runner().Start(StartRequest());
  EXPECT_THAT(second, StatusIs(absl::StatusCode::kFailedPrecondition,
                               HasSubstr(started->run().run_id())));
  EXPECT_EQ(ReasonOf(second.status()), "RUN_ACTIVE");

  v1::CancelRunRequest cancel;
  cancel.set_run_id(started->run().run_id());
  cancel.set_reason(std::string(1025, 'x'));
  EXPECT_THAT(runner().Cancel(cancel),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("reason: at most 1024 bytes")));
  cancel.set_reason("enough");
  ASSERT_OK(runner().Cancel(cancel));
  v1::RunSnapshot run = Finish(started->run().run_id());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_CANCELLED);
  EXPECT_EQ(run.record().error(), "enough");
  EXPECT_EQ(CurrentOf(store()).revision(), "");
  EXPECT_THAT(runner().Cancel(cancel),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("ended already")));
}

TEST_F(RunnerTest, PlanOfAnOldBaseIsRefused) {  // F: S1-28
  MakeMovie(Chain("{}"));
  v1::RunSnapshot run = RunToEnd(StartRequest());
  v1::StartRunRequest again = StartRequest();
  again.set_plan_hash(run.record().plan_hash());
  absl::StatusOr<v1::StartRunResponse> second = runner().Start(again);
  EXPECT_THAT(second,
              StatusIs(absl::StatusCode::kAborted, HasSubstr("plan again")));
  EXPECT_EQ(ReasonOf(second.status()), "BASE_CHANGED");
}

TEST_F(RunnerTest, RepeatedRequestIsTheSameRun) {
  MakeMovie(Chain("{}"));
  v1::StartRunRequest request = StartRequest();
  request.set_request_id("r-1");
  absl::StatusOr<v1::StartRunResponse> first = runner().Start(request);
  ASSERT_OK(first);
  Finish(first->run().run_id());
  absl::StatusOr<v1::StartRunResponse> second = runner().Start(request);
  ASSERT_OK(second);
  EXPECT_EQ(second->run().run_id(), first->run().run_id());
  EXPECT_EQ(second->plan().plan_hash(), first->plan().plan_hash());
}

TEST_F(RunnerTest, BadRequestsNameTheFieldAndWriteNothing) {
  MakeMovie(Chain("{}"));
  v1::StartRunRequest bad;
  bad.set_movie_id("../film");
  EXPECT_THAT(runner().Start(bad), StatusIs(absl::StatusCode::kInvalidArgument,
                                            HasSubstr("movie_id")));
  bad.set_movie_id("nobody");
  EXPECT_THAT(runner().Start(bad),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("nobody")));
  EXPECT_THAT(
      runner().Start(StartRequest({{"Nothing", "x"}})),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Nothing")));
  v1::GetRunRequest get;
  get.set_run_id("run-1");
  EXPECT_THAT(runner().Get(get), StatusIs(absl::StatusCode::kInvalidArgument,
                                          HasSubstr("run_id")));
}

// They are in the record and in every list of runs.
TEST_F(RunnerTest, LabelsThatAreTooManyOrTooLongAreRefusedBeforeAnEdit) {
  MakeMovie(Chain("{}"));
  v1::StartRunRequest many = StartRequest({{"Topic", "river"}});
  for (int i = 0; i < 33; ++i) {
    (*many.mutable_labels())[absl::StrCat("label-", i)] = "x";
  }
  EXPECT_THAT(runner().Start(many),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("labels: at most 32 labels, got \"33\"")));
  v1::StartRunRequest large = StartRequest({{"Topic", "river"}});
  (*large.mutable_labels())["short"] = "x";
  (*large.mutable_labels())["why"] = std::string(1'022, 'x');
  EXPECT_THAT(
      runner().Start(large),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("labels: a label has at most 1024 bytes, name and "
                         "value; this one has 1025, got \"why\"")));
  v1::ReadEventsRequest edits;
  edits.mutable_log()->set_movie_id("film");
  edits.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
  ASSERT_OK_AND_ASSIGN(const v1::ReadEventsResponse page,
                       store().events.ReadPage(edits));
  for (const v1::Event& event : page.events()) {
    EXPECT_NE(event.input().input_id(), "Input:Topic");
  }
  (*large.mutable_labels())["why"].pop_back();
  EXPECT_EQ(RunToEnd(large).record().labels_size(), 2);
}

TEST_F(RunnerTest, UnknownProducerIsRefusedBeforeTheRun) {
  MakeMovie(Slow("nobody", 1, 0));
  absl::StatusOr<v1::StartRunResponse> started = runner().Start(StartRequest());
  EXPECT_THAT(started, StatusIs(absl::StatusCode::kFailedPrecondition,
                                HasSubstr("nobody")));
  EXPECT_EQ(ReasonOf(started.status()), "PRODUCER_UNKNOWN");
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

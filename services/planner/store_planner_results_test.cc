// StorePlanner: what logs, revisions and blobs say to a plan.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/content.h"
#include "services/planner/planned_film.h"
#include "services/store/testing/counting_event_store.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using StorePlannerTest = PlannedFilmTest;

// F: S1-26
TEST_F(StorePlannerTest, ResultsOfARunThatNeverCommittedAreReused) {
  MakeMovie();
  Set("Input:Story", "a cat");
  EXPECT_THAT(PlannedJobs(), ElementsAre("Script", "Film"));
  // Between two plans, so that the index is brought up to date.
  std::string text = MakeScript("a cat");
  EXPECT_THAT(PlannedJobs(), ElementsAre("Film"));
  MakeFilm(text);
  ASSERT_OK_AND_ASSIGN(CreatedPlan plan, Plan());
  EXPECT_EQ(plan.header.summary().reused_jobs(), 2);
  EXPECT_EQ(plan.header.reused(1).artefacts(0).sequence(), 2);
}

// F: S1-21, S1-22
TEST_F(StorePlannerTest, CommittedRevisionIsTheBase) {
  MakeMovie();
  Set("Input:Story", "a cat");
  MakeFilm(MakeScript("a cat"));
  Commit();
  ASSERT_OK_AND_ASSIGN(CreatedPlan plan, Plan());
  EXPECT_EQ(plan.header.base_revision(), "rev-0001");
  EXPECT_EQ(plan.header.target_revision(), "rev-0002");
  EXPECT_EQ(plan.header.summary().clean_jobs(), 2);
  EXPECT_EQ(plan.header.summary().changed_inputs_size(), 0);
  Set("Input:Mood", "wild");
  EXPECT_THAT(PlannedJobs(), ElementsAre("Film"));
}

// F: S1-23
TEST_F(StorePlannerTest, EditsByTheSystemCountLikeThoseByUsers) {
  MakeMovie();
  Set("Input:Story", "a cat");
  MakeFilm(MakeScript("a cat"));
  Commit();
  for (const v1::EditedBy editor : {v1::EDITED_BY_SYSTEM, v1::EDITED_BY_USER}) {
    Set("Input:Mood", "wild", editor);
    ASSERT_OK_AND_ASSIGN(CreatedPlan plan, Plan());
    ASSERT_EQ(plan.layers.size(), 1u);
    EXPECT_EQ(plan.layers[0].jobs(0).job_id(), "Film");
    EXPECT_EQ(plan.layers[0].jobs(0).reason().kind(),
              v1::REASON_KIND_INPUT_CHANGED);
    Set("Input:Mood", "calm", editor);
    EXPECT_THAT(PlannedJobs(), IsEmpty());
  }
}

// F: B-14
TEST_F(StorePlannerTest, LostBlobsAreMadeAgain) {
  MakeMovie();
  Set("Input:Story", "a cat");
  std::string text = MakeScript("a cat");
  MakeFilm(text);
  Commit();
  blobs_.forgotten = {text};
  ASSERT_OK_AND_ASSIGN(CreatedPlan plan, Plan());
  EXPECT_EQ(plan.layers[0].jobs(0).job_id(), "Script");
  EXPECT_EQ(plan.layers[0].jobs(0).reason().kind(), v1::REASON_KIND_BLOB_LOST);
  EXPECT_EQ(plan.layers[1].jobs(0).need(), v1::JOB_NEED_MAY_RUN);
}

// F: S1-21
TEST_F(StorePlannerTest, SavedGraphGivesTheSamePlans) {
  MakeMovie();
  Set("Input:Story", "a cat");
  MakeFilm(MakeScript("a cat"));
  Commit();
  ASSERT_OK_AND_ASSIGN(const CreatedPlan clean, Plan());
  FaultyFileSystem cache;
  ASSERT_OK(StorePlanner(store_, cache, "/cache").CreatePlan(request_));
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> files,
                       cache.List("/cache"));
  ASSERT_EQ(files.size(), 1u);
  const auto hash = [&] {
    StorePlanner planner(store_, cache, "/cache");
    absl::StatusOr<CreatedPlan> plan = planner.CreatePlan(request_);
    EXPECT_OK(plan);
    return plan.ok() ? plan->header.plan_hash() : "";
  };
  EXPECT_EQ(hash(), clean.header.plan_hash());
  Set("Input:Mood", "wild");
  ASSERT_OK_AND_ASSIGN(const CreatedPlan edited, Plan());
  EXPECT_EQ(edited.header.summary().must_run_jobs(), 1);
  EXPECT_EQ(hash(), edited.header.plan_hash());
  ASSERT_OK(
      WriteFileAtomically(cache, JoinPath("/cache", files[0]), "damaged"));
  EXPECT_EQ(hash(), edited.header.plan_hash());
}

// F: B-6
TEST_F(StorePlannerTest, EditByHandCountsInTheNextPlan) {
  MakeMovie();
  Set("Input:Story", "a cat");
  MakeFilm(MakeScript("a cat"));
  Commit();
  EXPECT_THAT(PlannedJobs(), ElementsAre());
  v1::ReadEventsRequest read;
  read.mutable_log()->set_movie_id("film");
  read.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
  ASSERT_OK_AND_ASSIGN(const v1::ReadEventsResponse log,
                       store_.events.ReadPage(read));
  v1::AppendEventsRequest append;
  *append.mutable_log() = read.log();
  *append.mutable_lease() = lease_;
  v1::Event& event = *append.add_events();
  event.set_revision("rev-0002");
  v1::ArtefactEvent& edit = *event.mutable_artefact();
  edit.set_artefact_id("Artifact:Text");
  edit.set_inputs_hash(log.events(0).artefact().inputs_hash());
  edit.set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
  *edit.mutable_output() = InlineContent("text/plain", "by hand");
  *edit.mutable_produced_by() = log.events(0).artefact().produced_by();
  edit.mutable_produced_by()->clear_run_id();
  edit.mutable_produced_by()->clear_attempt();
  edit.mutable_produced_by()->set_edited_by(v1::EDITED_BY_USER);
  ASSERT_OK(store_.events.Append(append));
  EXPECT_THAT(PlannedJobs(), ElementsAre("Film"));
  ASSERT_OK_AND_ASSIGN(const CreatedPlan plan, Plan());
  ASSERT_EQ(plan.header.reused_size(), 1);
  EXPECT_EQ(plan.header.reused(0).artefacts(0).content().inline_().data(),
            "by hand");
}

// F: B-4 (failed)
TEST_F(StorePlannerTest, FailuresAreKnownAlsoOfBeforeTheBase) {
  MakeMovie();
  Set("Input:Story", "a cat");
  RefuseScript("a dog", "rev-0001");
  MakeFilm(MakeScript("a cat"));
  Commit();
  RefuseScript("a whale", "rev-0002");
  Set("Input:Story", "a whale");
  ASSERT_OK_AND_ASSIGN(CreatedPlan plan, Plan());
  EXPECT_EQ(plan.header.summary().known_failures(), 1);
  EXPECT_EQ(plan.layers[0].jobs(0).last_failure().message(), "refused");
  request_.set_dry_run(true);
  request_.set_with_layers(false);
  ASSERT_OK_AND_ASSIGN(plan, Plan());
  EXPECT_EQ(plan.header.summary().known_failures(), 1);
  Set("Input:Story", "a dog");
  ASSERT_OK_AND_ASSIGN(plan, Plan());
  EXPECT_EQ(plan.header.summary().known_failures(), 1);
  request_.set_dry_run(false);
  request_.set_with_layers(true);
  ASSERT_OK_AND_ASSIGN(plan, Plan());
  const v1::PlannedJob& script = plan.layers[0].jobs(0);
  EXPECT_EQ(script.last_failure().reason(), v1::FAILURE_REASON_REJECTED);
  EXPECT_EQ(script.last_failure().message(), "refused");
  EXPECT_EQ(script.reason().kind(), v1::REASON_KIND_FAILED);
  EXPECT_THAT(script.reason().subjects(), ElementsAre("Artifact:Text"));
  // Another planner knows the same, and another story has not failed.
  ASSERT_OK_AND_ASSIGN(const CreatedPlan other,
                       StorePlanner(store_).CreatePlan(request_));
  EXPECT_EQ(other.header.plan_hash(), plan.header.plan_hash());
  Set("Input:Story", "a horse");
  ASSERT_OK_AND_ASSIGN(plan, Plan());
  EXPECT_EQ(plan.header.summary().known_failures(), 0);
}

// What was made good before the base is not told either, though the log since
// then says nothing of it. F: B-4 (failed)
TEST_F(StorePlannerTest, OldFailuresThatWereMadeGoodAreForgotten) {
  MakeMovie();
  Set("Input:Story", "a cat");
  RefuseScript("a cat", "rev-0001");
  MakeFilm(MakeScript("a cat"));
  Commit();
  request_.mutable_scope()->add_regenerate("Text");
  ASSERT_OK_AND_ASSIGN(CreatedPlan plan, Plan());
  EXPECT_EQ(plan.layers[0].jobs(0).job_id(), "Script");
  EXPECT_FALSE(plan.layers[0].jobs(0).has_last_failure());
  EXPECT_EQ(plan.header.summary().known_failures(), 0);
}

// A movie in which nothing ever failed is not asked about its jobs.
TEST_F(StorePlannerTest, NobodyAsksForFailuresWhereThereAreNone) {
  MakeMovie();
  Set("Input:Story", "a cat");
  MakeFilm(MakeScript("a cat"));
  Commit();
  CountingEventStore counted(store_.events);
  StorePlanner planner(counted.Within(store_));
  Set("Input:Mood", "wild");
  ASSERT_OK(planner.CreatePlan(request_));
  EXPECT_EQ(counted.failures_asked(), 0);
  Set("Input:Story", "a dog");
  Set("Input:Mood", "calm");
  RefuseScript("a dog", "rev-0002");
  StorePlanner next(counted.Within(store_));
  ASSERT_OK_AND_ASSIGN(const CreatedPlan plan, next.CreatePlan(request_));
  EXPECT_EQ(plan.header.summary().known_failures(), 1);
  EXPECT_EQ(counted.failures_asked(), 0);  // the log since the base tells it
}

// The log may hold a million events of others. F: B-13
TEST_F(StorePlannerTest, TakesAreListedFromTheEventsOfTheirArtefact) {
  MakeMovie();
  Set("Input:Story", "a cat");
  for (int n = 0; n < 5; ++n) MakeFilm(MakeScript(absl::StrCat("a cat ", n)));
  RefuseScript("a dog", "rev-0001");
  CountingEventStore counted(store_.events);
  StorePlanner planner(counted.Within(store_));
  v1::ListTakesRequest list;
  list.set_movie_id("film");
  list.set_artefact_id("Artifact:Text");
  ASSERT_OK_AND_ASSIGN(const v1::ListTakesResponse takes,
                       planner.ListTakes(list));
  ASSERT_EQ(takes.takes_size(), 1);
  EXPECT_EQ(takes.takes(0).sequence(), 9);  // the last script that was made
  EXPECT_EQ(counted.delivered(), 6);
}

TEST_F(StorePlannerTest, WhatTheBlueprintNoLongerHasIsListedAsLeaving) {
  MakeMovie();
  Set("Input:Story", "a cat");
  MakeFilm(MakeScript("a cat"));
  Commit();
  v1::SetBlueprintRequest pin;
  pin.set_movie_id("film");
  pin.set_blueprint(R"(blueprint: film
inputs: {Story: {type: text}}
nodes:
  Script:
    producer: script
    inputs: {story: "Input:Story"}
    outputs: {Text: text/plain}
)");
  ASSERT_OK(store_.movies.SetBlueprint(pin));
  ASSERT_OK_AND_ASSIGN(CreatedPlan plan, Plan());
  EXPECT_THAT(plan.header.removed_artefact_ids(), ElementsAre("Artifact:Film"));
  EXPECT_EQ(plan.header.summary().removed_artefacts(), 1);
  request_.set_with_layers(false);
  ASSERT_OK_AND_ASSIGN(plan, Plan());
  EXPECT_THAT(plan.header.removed_artefact_ids(), IsEmpty());
  EXPECT_EQ(plan.header.summary().removed_artefacts(), 1);
}

}  // namespace
}  // namespace kinora

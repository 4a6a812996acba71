// StorePlanner: plans, drawings, and what it refuses.

#include <string>
#include <utility>
#include <vector>

#include "common/content.h"
#include "common/error_reason.h"
#include "services/planner/planned_film.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using StorePlannerTest = PlannedFilmTest;

// F: S1-27, S1-32
TEST_F(StorePlannerTest, SavesThePlanUnderItsHash) {
  MakeMovie();
  Set("Input:Story", "a cat");
  ASSERT_OK_AND_ASSIGN(CreatedPlan created, Plan());
  EXPECT_TRUE(created.header.saved());
  EXPECT_EQ(created.header.target_revision(), "rev-0001");
  EXPECT_EQ(created.layers.size(), 2u);
  v1::LoadPlanRequest load;
  load.set_movie_id("film");
  load.set_plan_hash(created.header.plan_hash());
  ASSERT_OK_AND_ASSIGN(std::string json, store_.plans.Load(load));
  EXPECT_EQ(Sha256Of(json).Hex(), created.header.plan_hash());
  v1::Plan plan;
  ASSERT_OK(ParseDocument(json, &plan));
  EXPECT_EQ(CanonicalBytes(plan), json);
  EXPECT_EQ(plan.inputs_through_sequence(), 2);
}

// A graph whose size is not known yet is drawn as far as it is.
TEST_F(StorePlannerTest, DrawsAndEstimatesWhatIsKnown) {
  MakeMovie(kScenes);
  v1::RenderGraphRequest draw;
  draw.set_movie_id("film");
  draw.set_format(v1::GRAPH_FORMAT_DOT);
  ASSERT_OK_AND_ASSIGN(v1::RenderGraphResponse drawn,
                       planner_.RenderGraph(draw));
  EXPECT_THAT(drawn.text(), HasSubstr("Script"));
  EXPECT_THAT(drawn.text(), HasSubstr(": waits for "));
  v1::EstimatePlanRequest estimate;
  estimate.set_movie_id("film");
  estimate.mutable_plan()->set_movie_id("film");
  ASSERT_OK_AND_ASSIGN(v1::EstimatePlanResponse estimated,
                       planner_.EstimatePlan(estimate));
  EXPECT_EQ(estimated.summary().deferred_nodes(), 1);
}

// What is recorded of producers needs no plan, so it can be asked for as often
// as a run begins.
TEST_F(StorePlannerTest, TellsWhatIsRecordedWithoutAPlan) {
  MakeMovie();
  v1::GetJobDurationsRequest request;
  request.set_movie_id("film");
  ASSERT_OK_AND_ASSIGN(v1::GetJobDurationsResponse before,
                       planner_.GetJobDurations(request));
  EXPECT_EQ(before.producers_size(), 0);
  Set("Input:Story", "a cat");
  MakeFilm(MakeScript("a cat"));
  ASSERT_OK_AND_ASSIGN(v1::GetJobDurationsResponse after,
                       planner_.GetJobDurations(request));
  ASSERT_EQ(after.producers_size(), 2);
  EXPECT_EQ(after.producers(0).producer(), "film");
  EXPECT_EQ(after.producers(0).recorded_calls(), 1);
  request.set_movie_id("other");
  EXPECT_EQ(ReasonOf(planner_.GetJobDurations(request).status()),
            "MOVIE_NOT_FOUND");
}

TEST_F(StorePlannerTest, AnEstimateIsOfOnePlan) {
  MakeMovie();
  v1::EstimatePlanRequest request;
  request.set_movie_id("film");
  EXPECT_THAT(planner_.EstimatePlan(request),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("set either it or plan")));
  request.set_plan_hash(std::string(64, '0'));
  request.mutable_plan();
  EXPECT_THAT(planner_.EstimatePlan(request),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("set either it or plan")));
}

// F: S1-24, S1-32
TEST_F(StorePlannerTest, DryRunsAndStagedEditsAreNotSaved) {
  MakeMovie();
  Set("Input:Story", "a cat");
  request_.set_dry_run(true);
  ASSERT_OK_AND_ASSIGN(CreatedPlan dry, Plan());
  EXPECT_FALSE(dry.header.saved());
  request_.set_dry_run(false);
  v1::PendingEdit& edit = *request_.add_pending_edits();
  edit.set_input_id("Mood");
  *edit.mutable_content() = InlineContent("application/json", "\"wild\"");
  ASSERT_OK_AND_ASSIGN(CreatedPlan staged, Plan());
  EXPECT_FALSE(staged.header.saved());
  EXPECT_NE(staged.header.plan_hash(), dry.header.plan_hash());
  for (const CreatedPlan* plan : {&dry, &staged}) {
    v1::LoadPlanRequest load;
    load.set_movie_id("film");
    load.set_plan_hash(plan->header.plan_hash());
    EXPECT_THAT(store_.plans.Load(load), StatusIs(absl::StatusCode::kNotFound));
  }
  // Nor is the edit.
  v1::ListInputsRequest list;
  list.set_movie_id("film");
  ASSERT_OK_AND_ASSIGN(const v1::ListInputsResponse inputs,
                       store_.events.ListInputs(list));
  for (const v1::Event& event : inputs.inputs()) {
    EXPECT_NE(event.input().input_id(), "Input:Mood");
  }
  EXPECT_EQ(inputs.inputs_size(), 2);  // the blueprint and the story
}

TEST_F(StorePlannerTest, WhatIfWithoutLayersIsASummary) {
  MakeMovie();
  Set("Input:Story", "a cat");
  ASSERT_OK_AND_ASSIGN(const CreatedPlan whole, Plan());
  request_.set_dry_run(true);
  request_.set_with_layers(false);
  ASSERT_OK_AND_ASSIGN(const CreatedPlan summary, Plan());
  EXPECT_EQ(CanonicalBytes(summary.header.summary()),
            CanonicalBytes(whole.header.summary()));
  EXPECT_EQ(summary.header.target_revision(), "rev-0001");
  EXPECT_EQ(summary.header.plan_hash(), "");
}

// F: B-3
TEST_F(StorePlannerTest, ListsLeavesAndChecksWhatIsToHoldThem) {
  MakeMovie(R"(blueprint: leaves
inputs: {Story: {type: text}}
nodes:
  Script:
    producer: script
    inputs: {story: Input:Story}
    outputs: {Plan: {type: application/json, leaves: {Title: /title}}}
)");
  Set("Input:Story", "a cat");
  v1::ListLeavesRequest request;
  request.set_movie_id("film");
  request.set_artefact_id("Plan");
  absl::StatusOr<v1::ListLeavesResponse> listed = planner_.ListLeaves(request);
  EXPECT_THAT(listed, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(ReasonOf(listed.status()), "ARTEFACT_NOT_FOUND");
  JobKey key;
  key.job_id = "Script";
  Make("Artifact:Plan", key, R"({"title":"a cat"})");
  Make("Artifact:Title", key, "\"a cat\"");
  Commit();
  listed = planner_.ListLeaves(request);
  ASSERT_OK(listed);
  ASSERT_EQ(listed->leaves_size(), 1);
  EXPECT_EQ(listed->leaves(0).artefact_id(), "Artifact:Title");
  EXPECT_EQ(listed->leaves(0).json_pointer(), "/title");
  EXPECT_EQ(listed->leaves(0).mime_type(), "application/json");

  *request.mutable_content() = InlineContent("application/json", "[]");
  listed = planner_.ListLeaves(request);
  EXPECT_THAT(listed, StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("Plan has nothing at /title")));
  EXPECT_EQ(ReasonOf(listed.status()), "INVALID_FIELD");
  // A blob is read.
  const std::string bytes = R"({"title":"a cat"})";
  v1::Digest& digest =
      *request.mutable_content()->mutable_blob()->mutable_digest();
  digest.set_hash(Sha256Of(bytes).Hex());
  digest.set_size_bytes(static_cast<int64_t>(bytes.size()));
  EXPECT_OK(planner_.ListLeaves(request));
  request.set_artefact_id("Title");
  EXPECT_EQ(planner_.ListLeaves(request)->leaves_size(), 0);
  request.set_artefact_id("Input:Story");
  EXPECT_THAT(
      planner_.ListLeaves(request),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Input:Story")));
}

// Why is it not there? Because what it waits for could not be made.
// F: B-12
TEST_F(StorePlannerTest, ExplanationOfWhatIsNotMadeTellsTheLatestFailure) {
  MakeMovie();
  Set("Input:Story", "a cat");
  v1::ExplainArtefactRequest request;
  request.set_movie_id("film");
  request.set_artefact_id("Film");
  ASSERT_OK_AND_ASSIGN(v1::ExplainArtefactResponse explained,
                       planner_.ExplainArtefact(request));
  EXPECT_EQ(explained.notes_size(), 0);
  RefuseScript("a cat", "rev-0001");
  ASSERT_OK_AND_ASSIGN(explained, planner_.ExplainArtefact(request));
  EXPECT_THAT(explained.notes(),
              ElementsAre("the latest attempt of Artifact:Text failed: "
                          "REJECTED \"refused\""));
  MakeScript("a cat");
  ASSERT_OK_AND_ASSIGN(explained, planner_.ExplainArtefact(request));
  EXPECT_EQ(explained.notes_size(), 0);
}

TEST_F(StorePlannerTest, ErrorsNameWhatIsWrong) {
  request_.set_movie_id("../film");
  EXPECT_THAT(Plan(), StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("../film")));
  request_.set_movie_id("film");
  absl::StatusOr<CreatedPlan> unknown = Plan();
  EXPECT_THAT(unknown, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(ReasonOf(unknown.status()), "MOVIE_NOT_FOUND");
  MakeMovie();
  absl::StatusOr<CreatedPlan> missing = Plan();
  EXPECT_THAT(missing, StatusIs(absl::StatusCode::kFailedPrecondition,
                                HasSubstr("Input:Story")));
  EXPECT_EQ(ReasonOf(missing.status()), "INPUT_MISSING");
  request_.mutable_scope()->add_only("Artifact:Txt");
  EXPECT_THAT(Plan(), StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("scope.only")));
}

TEST_F(StorePlannerTest, BrokenBlueprintIsTheMoviesFault) {
  MakeMovie("blueprint: film\nnodes: {}\n");
  absl::StatusOr<CreatedPlan> plan = Plan();
  EXPECT_THAT(plan, StatusIs(absl::StatusCode::kFailedPrecondition,
                             AllOf(HasSubstr("blueprint of film:2"),
                                   HasSubstr("at least one node"))));
  EXPECT_EQ(ReasonOf(plan.status()), "BLUEPRINT_INVALID");
}

TEST_F(StorePlannerTest, ValidatesBlueprintsAndInputs) {
  v1::ValidateBlueprintRequest request;
  request.set_file_name("film.yaml");
  request.set_blueprint(kFilm);
  ASSERT_OK_AND_ASSIGN(v1::ValidateBlueprintResponse valid,
                       planner_.ValidateBlueprint(request));
  EXPECT_THAT(valid.inputs(), ElementsAre("Mood", "Story"));
  EXPECT_THAT(valid.producers(), ElementsAre("film", "script"));
  EXPECT_THAT(valid.outputs(), ElementsAre("Film"));
  MakeMovie();
  v1::ValidateInputsRequest inputs;
  inputs.set_movie_id("film");
  v1::PendingEdit& edit = *inputs.add_edits();
  edit.set_input_id("Story");
  *edit.mutable_content() = InlineContent("application/json", "\"a dog\"");
  ASSERT_OK_AND_ASSIGN(v1::ValidateInputsResponse canonical,
                       planner_.ValidateInputs(inputs));
  EXPECT_EQ(canonical.edits(0).input_id(), "Input:Story");
  EXPECT_EQ(canonical.edits(0).content().inline_().data(), "a dog");
  edit.set_input_id("Stroy");
  EXPECT_THAT(planner_.ValidateInputs(inputs),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("edits[0]: Input:Stroy: "),
                             HasSubstr("did you mean \"Story\"?"))));
  *request_.add_pending_edits() = edit;
  EXPECT_THAT(Plan(), StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("pending_edits[0]: Input:Stroy: ")));
}

TEST_F(StorePlannerTest, BytesOfInputsAreWhatTheirTypesSay) {
  MakeMovie(R"(blueprint: bytes
inputs: {Story: {type: text}, Style: {type: json}, Photo: {type: file}}
nodes:
  Script:
    producer: script
    inputs: {story: Input:Story, style: Input:Style, photo: Input:Photo}
    outputs: {Text: text/plain}
)");
  const auto blob = [](const std::string& bytes, const std::string& type) {
    v1::Content content;
    v1::Digest& digest = *content.mutable_blob()->mutable_digest();
    digest.set_hash(Sha256Of(bytes).Hex());
    digest.set_size_bytes(static_cast<int64_t>(bytes.size()));
    content.mutable_blob()->set_mime_type(type);
    return content;
  };
  const auto send = [this](const std::string& bytes) {
    v1::BatchWriteBlobsRequest write;
    write.set_movie_id("film");
    write.add_blobs()->set_data(bytes);
    EXPECT_OK(store_.blobs.BatchWrite(write));
  };
  const auto check = [this](const std::string& id, const v1::Content& content) {
    v1::ValidateInputsRequest inputs;
    inputs.set_movie_id("film");
    inputs.add_edits()->set_input_id(id);
    *inputs.mutable_edits(0)->mutable_content() = content;
    return planner_.ValidateInputs(inputs).status();
  };
  const std::string picture = "\x89PNG\xff\xfe";
  // Nobody can tell of bytes that are yet to be sent.
  EXPECT_OK(check("Story", blob(picture, "image/png")));
  send(picture);
  send("[1, 2");
  send("[1, 2]");
  EXPECT_THAT(check("Story", blob(picture, "image/png")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("edits[0]: Input:Story: "),
                             HasSubstr("must be UTF-8 text"),
                             HasSubstr(Sha256Of(picture).Hex()))));
  EXPECT_OK(check("Photo", blob(picture, "image/png")));
  EXPECT_OK(check("Story", blob("[1, 2", "text/plain")));
  EXPECT_THAT(
      check("Style", blob("[1, 2", "application/json")),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("Input:Style"), HasSubstr("is not JSON"))));
  EXPECT_OK(check("Style", blob("[1, 2]", "application/json")));

  // Nor does a plan rely on what was set without being asked about.
  Set("Input:Photo", "x");
  const auto set = [this](const std::string& id, const v1::Content& content) {
    v1::AppendEventsRequest append;
    append.mutable_log()->set_movie_id("film");
    append.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
    v1::Event& event = *append.add_events();
    event.set_revision("rev-0001");
    event.mutable_input()->set_input_id(id);
    event.mutable_input()->set_edited_by(v1::EDITED_BY_USER);
    *event.mutable_input()->mutable_content() = content;
    ASSERT_OK(store_.events.Append(append));
  };
  set("Input:Style", blob("[1, 2]", "application/json"));
  set("Input:Story", blob("[1, 2", "text/plain"));
  EXPECT_OK(Plan());
  // In the graph that is kept, and in one made anew.
  set("Input:Story", blob(picture, "text/plain"));
  for (int i = 0; i < 2; ++i) {
    const absl::Status refused = Plan().status();
    EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition,
                                  AllOf(HasSubstr("Input:Story"),
                                        HasSubstr("must be UTF-8 text"))));
    EXPECT_EQ(ReasonOf(refused), "INPUT_MISSING");
  }
  *request_.add_pending_edits()->mutable_content() =
      blob("[1, 2", "application/json");
  request_.mutable_pending_edits(0)->set_input_id("Style");
  EXPECT_THAT(Plan(), StatusIs(absl::StatusCode::kInvalidArgument,
                               HasSubstr("pending_edits[0]: Input:Style: ")));
}

TEST_F(StorePlannerTest, DrawsTheGraph) {
  MakeMovie();
  v1::RenderGraphRequest request;
  request.set_movie_id("film");
  EXPECT_THAT(planner_.RenderGraph(request),
              StatusIs(absl::StatusCode::kInvalidArgument));
  request.set_format(v1::GRAPH_FORMAT_DOT);
  ASSERT_OK_AND_ASSIGN(v1::RenderGraphResponse drawn,
                       planner_.RenderGraph(request));
  EXPECT_THAT(drawn.text(), HasSubstr("j0 -> j1"));
}

}  // namespace
}  // namespace kinora

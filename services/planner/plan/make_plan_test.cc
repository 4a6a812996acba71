#include "services/planner/plan/make_plan.h"

#include <fstream>
#include <sstream>

#include "common/content.h"
#include "common/error_reason.h"
#include "common/json/json.h"
#include "common/json/proto_json.h"
#include "common/testing/status_matchers.h"
#include "services/planner/plan/plan_world.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string TestData(const std::string& name) {
  std::ifstream in("services/planner/plan/testdata/" + name);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

const v1::PlannedJob* FindJob(const v1::Plan& plan, absl::string_view id) {
  for (const v1::PlanLayer& layer : plan.layers()) {
    for (const v1::PlannedJob& job : layer.jobs()) {
      if (job.job_id() == id) return &job;
    }
  }
  return nullptr;
}

v1::ReasonKind Reason(const v1::Plan& plan, absl::string_view job) {
  const v1::PlannedJob* found = FindJob(plan, job);
  return found == nullptr ? v1::REASON_KIND_UNSPECIFIED
                          : found->reason().kind();
}

class MakePlanTest : public ::testing::Test {
 protected:
  MakePlanTest() : world_(TestData("film.yaml")) {
    world_.Set("Input:Story", "\"A cat went to sea.\"");
  }

  // Replaces `from` in a blueprint, the film's if none is given.
  void Edit(const std::string& from, const std::string& to,
            std::string yaml = TestData("film.yaml")) {
    size_t at = yaml.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    yaml.replace(at, from.size(), to);
    edited_ = yaml;
    world_.SetBlueprint(yaml);
  }

  PlanWorld world_;
  std::string edited_;  // the blueprint after the last Edit()
};

// F: S1-15, S1-33, S1-27, S1-29, B-4 (initial)
TEST_F(MakePlanTest, FirstPlanOfTheFilmIsTheGoldenOne) {
  std::string json = CanonicalBytes(world_.Plan());
  std::string golden = TestData("film_plan.json");
  // Compared as values: the golden file is laid out for reading.
  ASSERT_OK_AND_ASSIGN(JsonValue want, ParseJson(golden));
  ASSERT_OK_AND_ASSIGN(JsonValue got, ParseJson(json));
  EXPECT_EQ(got, want) << json;
}

TEST_F(MakePlanTest, SameInputsGiveTheSameBytes) {
  world_.Run();
  world_.Set("Input:Prompt[segment=1]", "\"fog\"");
  EXPECT_EQ(CanonicalBytes(world_.Plan()), CanonicalBytes(world_.Plan()));
}

TEST_F(MakePlanTest, AfterARunNothingIsLeftToDo) {
  EXPECT_EQ(world_.Run().size(), 6u);
  v1::Plan plan = world_.Plan();
  EXPECT_THAT(JobIds(plan), IsEmpty());
  EXPECT_EQ(plan.summary().clean_jobs(), 6);
  EXPECT_EQ(plan.summary().changed_inputs_size(), 0);
  EXPECT_EQ(plan.base_revision(), "rev-0001");
  EXPECT_EQ(plan.target_revision(), "rev-0002");
}

// F: S1-25, B-4 (input changed, propagated), B-11
TEST_F(MakePlanTest, OnePromptReachesItsOwnDownstreamOnly) {
  world_.Run();
  world_.Set("Input:Prompt[segment=1]", "\"fog\"");
  v1::Plan plan = world_.Plan();
  EXPECT_THAT(JobIds(plan), ElementsAre("Picture[segment=1]", "Film"));
  const v1::PlannedJob& picture = *FindJob(plan, "Picture[segment=1]");
  EXPECT_EQ(picture.need(), v1::JOB_NEED_MUST_RUN);
  EXPECT_EQ(picture.reason().kind(), v1::REASON_KIND_INPUT_CHANGED);
  EXPECT_THAT(picture.reason().subjects(),
              ElementsAre("Input:Prompt[segment=1]"));
  const v1::PlannedJob& film = *FindJob(plan, "Film");
  EXPECT_EQ(film.need(), v1::JOB_NEED_MAY_RUN);
  EXPECT_EQ(film.reason().kind(), v1::REASON_KIND_PROPAGATED);
  EXPECT_THAT(film.reason().subjects(), ElementsAre("Picture[segment=1]"));
  EXPECT_THAT(plan.summary().changed_inputs(),
              ElementsAre("Input:Prompt[segment=1]"));
  // What the two jobs read of the base, and nothing else.
  std::vector<std::string> sources;
  for (const auto& source : plan.sources()) {
    sources.push_back(source.artefact_id());
  }
  EXPECT_THAT(sources, ElementsAre("Artifact:NarrationAudio[segment=0]",
                                   "Artifact:NarrationAudio[segment=1]",
                                   "Artifact:Picture[segment=0]",
                                   "Artifact:SegmentText[segment=1]"));
}

// F: S1-22, S1-23
TEST_F(MakePlanTest, EditAndUndoBeforeARunIsClean) {
  world_.Run();
  world_.Set("Input:Story", "\"A dog.\"");
  world_.Set("Input:Story", "\"A cat went to sea.\"");
  EXPECT_THAT(JobIds(world_.Plan()), IsEmpty());
}

// F: S1-22, S1-26
TEST_F(MakePlanTest, UndoAfterARunReusesTheLog) {
  world_.Run();
  world_.Set("Input:Prompt[segment=0]", "\"fog\"");
  world_.Run();
  world_.Set("Input:Prompt[segment=0]", "\"\"");
  v1::Plan plan = world_.Plan();
  EXPECT_THAT(JobIds(plan), IsEmpty());
  EXPECT_EQ(plan.summary().reused_jobs(), 2);
  EXPECT_EQ(plan.reused(0).job_id(), "Picture[segment=0]");
  EXPECT_GT(plan.reused(0).artefacts(0).sequence(), 0);
  // A reuse names the work, not the event that reused it last.
  int64_t work = plan.reused(0).artefacts(0).sequence();
  EXPECT_THAT(world_.Run(plan), IsEmpty());
  world_.Set("Input:Prompt[segment=0]", "\"fog\"");
  world_.Run();
  world_.Set("Input:Prompt[segment=0]", "\"\"");
  EXPECT_EQ(world_.Plan().reused(0).artefacts(0).sequence(), work);
}

// F: S1-24
TEST_F(MakePlanTest, StagedEditsCountAsTheNewestEvents) {
  world_.Run();
  PlanInputs in = world_.Inputs();
  v1::PendingEdit& edit = in.edits.emplace_back();
  edit.set_input_id("Input:Prompt[segment=1]");
  *edit.mutable_content() = InlineContent("text/plain", "fog");
  ASSERT_OK_AND_ASSIGN(MadePlan staged, MakePlan(in));
  world_.Set("Input:Prompt[segment=1]", "\"fog\"");
  EXPECT_THAT(JobIds(staged.plan), JobIds(world_.Plan()));
  EXPECT_THAT(JobIds(staged.plan), ElementsAre("Picture[segment=1]", "Film"));

  // Behind the edit that is in the log: staged, it is undone again.
  PlanInputs later = world_.Inputs();
  *later.edits.emplace_back(edit).mutable_content() =
      InlineContent("text/plain", "");
  ASSERT_OK_AND_ASSIGN(MadePlan undone, MakePlan(later));
  EXPECT_THAT(JobIds(undone.plan), IsEmpty());
}

// F: S1-26
TEST_F(MakePlanTest, EqualBytesUpstreamStopTheChange) {
  world_.constant["Script"] = "always the same";
  world_.Run();
  world_.Set("Input:Story", "\"A dog.\"");
  v1::Plan plan = world_.Plan();
  EXPECT_EQ(JobIds(plan).size(), 6u);
  EXPECT_EQ(plan.summary().must_run_jobs(), 1);
  EXPECT_THAT(world_.Run(plan), ElementsAre("Script"));
}

// F: B-4 (failed)
TEST_F(MakePlanTest, LeftoversOfAFailedRunAreReused) {
  world_.Run();
  world_.Set("Input:Story", "\"A dog.\"");
  world_.failing = {"Narration[segment=1]"};
  world_.Run();
  v1::Plan plan = world_.Plan();
  EXPECT_THAT(JobIds(plan), ElementsAre("Narration[segment=1]", "Film"));
  EXPECT_EQ(plan.summary().reused_jobs(), 4);
  EXPECT_EQ(Reason(plan, "Narration[segment=1]"), v1::REASON_KIND_FAILED);
  world_.failing.clear();
  EXPECT_THAT(world_.Run(plan), ElementsAre("Narration[segment=1]", "Film"));
  EXPECT_FALSE(world_.called_twice);
}

// F: B-4 (producer version)
TEST_F(MakePlanTest, NewProducerVersionMakesItsJobsDirty) {
  world_.versions = {{"script", "1"}, {"picture", "1"}};
  world_.Run();
  world_.versions["picture"] = "2";
  v1::Plan plan = world_.Plan();
  EXPECT_THAT(JobIds(plan),
              ElementsAre("Picture[segment=0]", "Picture[segment=1]", "Film"));
  EXPECT_EQ(Reason(plan, "Picture[segment=0]"),
            v1::REASON_KIND_PRODUCER_CHANGED);
  // A producer nobody asked is taken to be what it was.
  world_.versions.clear();
  EXPECT_THAT(JobIds(world_.Plan()), IsEmpty());
}

// F: B-4 (settings), S1-21
TEST_F(MakePlanTest, ChangedSettingsAndWiringAreSeen) {
  world_.Run();
  Edit("{style: dark}", "{style: light}");
  v1::Plan plan = world_.Plan();
  EXPECT_EQ(Reason(plan, "Script"), v1::REASON_KIND_SETTINGS_CHANGED);
  EXPECT_THAT(plan.summary().changed_inputs(), ElementsAre("Input:Blueprint"));

  // A producer that is to make another type makes something else.
  Edit("NarrationAudio: audio/wav", "NarrationAudio: audio/mp3");
  EXPECT_THAT(
      JobIds(world_.Plan()),
      ElementsAre("Narration[segment=0]", "Narration[segment=1]", "Film"));

  Edit("first: \"SegmentText[0]\"", "first: \"SegmentText[1]\"");
  plan = world_.Plan();
  EXPECT_THAT(JobIds(plan), ElementsAre("Narration[segment=0]",
                                        "Narration[segment=1]", "Film"));
  EXPECT_EQ(Reason(plan, "Narration[segment=0]"),
            v1::REASON_KIND_WIRING_CHANGED);

  Edit("description: \"What the film tells.\"", "description: \"Other.\"");
  EXPECT_THAT(JobIds(world_.Plan()), IsEmpty());
}

TEST_F(MakePlanTest, ChangedDefaultIsAChangedInput) {
  world_.Run();
  Edit("over: [segment], default: \"\"", "over: [segment], default: \"fog\"");
  v1::Plan plan = world_.Plan();
  EXPECT_EQ(Reason(plan, "Picture[segment=1]"), v1::REASON_KIND_INPUT_CHANGED);
  EXPECT_EQ(Reason(plan, "Narration[segment=1]"), v1::REASON_KIND_UNSPECIFIED);
}

TEST_F(MakePlanTest, ShrinkingADimensionRemovesArtefacts) {
  world_.Run();
  world_.Set("Input:SegmentCount", "1");
  v1::Plan plan = world_.Plan();
  EXPECT_THAT(plan.removed_artefact_ids(),
              ElementsAre("Artifact:NarrationAudio[segment=1]",
                          "Artifact:Picture[segment=1]",
                          "Artifact:SegmentText[segment=1]"));
  EXPECT_EQ(plan.summary().removed_artefacts(), 3);
  world_.Run(plan);
  EXPECT_EQ(world_.manifest.artefacts_size(), 4);
  EXPECT_THAT(JobIds(world_.Plan()), IsEmpty());
}

// F: B-4 (missing)
TEST_F(MakePlanTest, GrowingADimensionMissesArtefacts) {
  world_.Run();
  world_.Set("Input:SegmentCount", "3");
  v1::Plan plan = world_.Plan();
  EXPECT_EQ(Reason(plan, "Picture[segment=2]"), v1::REASON_KIND_MISSING);
  EXPECT_EQ(FindJob(plan, "Picture[segment=2]")->need(), v1::JOB_NEED_MUST_RUN);
  EXPECT_EQ(FindJob(plan, "Picture[segment=0]")->need(), v1::JOB_NEED_MAY_RUN);
}

// F: B-14
TEST_F(MakePlanTest, LostBlobIsNoResult) {
  world_.Run();
  v1::ManifestArtefact& film =
      (*world_.manifest.mutable_artefacts())["Artifact:Picture[segment=0]"];
  Digest hash = *Digest::ParseHex(ContentHash(film.content()));
  v1::Content blob;
  blob.mutable_blob()->mutable_digest()->set_hash(hash.Hex());
  *film.mutable_content() = blob;
  ASSERT_OK_AND_ASSIGN(MadePlan sound, world_.TryPlan());
  ASSERT_EQ(sound.relied_on.size(), 1u);
  EXPECT_EQ(sound.relied_on[0].hash, hash);
  PlanInputs in = world_.Inputs();
  in.lost_blobs.insert(hash);
  ArtefactLogIndex empty_log;
  in.results = &empty_log;
  ASSERT_OK_AND_ASSIGN(MadePlan made, MakePlan(in));
  EXPECT_THAT(JobIds(made.plan), ElementsAre("Picture[segment=0]", "Film"));
  EXPECT_EQ(Reason(made.plan, "Picture[segment=0]"), v1::REASON_KIND_BLOB_LOST);
  EXPECT_THAT(made.relied_on, IsEmpty());
}

// F: B-6
TEST_F(MakePlanTest, EditByHandIsTakenAndMakesItsReadersDirty) {
  world_.Run();
  world_.EditByHand("Artifact:SegmentText[segment=1]", "Rewritten.");
  v1::Plan plan = world_.Plan();
  ASSERT_EQ(plan.reused_size(), 1);
  EXPECT_EQ(plan.reused(0).job_id(), "Script");
  EXPECT_EQ(plan.reused(0).artefacts_size(), 1);
  EXPECT_THAT(JobIds(plan), ElementsAre("Narration[segment=1]",
                                        "Picture[segment=1]", "Film"));
  EXPECT_EQ(Reason(plan, "Picture[segment=1]"),
            v1::REASON_KIND_ARTEFACT_CHANGED);
  world_.Run(plan);
  EXPECT_THAT(JobIds(world_.Plan()), IsEmpty());
  // Only another input of its own takes it away.
  world_.Set("Input:Prompt[segment=0]", "\"fog\"");
  world_.Run();
  EXPECT_EQ(world_.manifest.artefacts()
                .at("Artifact:SegmentText[segment=1]")
                .content()
                .inline_()
                .data(),
            "Rewritten.");
  world_.Set("Input:Story", "\"A dog.\"");
  EXPECT_EQ(FindJob(world_.Plan(), "Script")->need(), v1::JOB_NEED_MUST_RUN);
}

// F: S1-30
TEST_F(MakePlanTest, MissingInputIsNamedWithTheWayToSetIt) {
  PlanWorld world(TestData("film.yaml"));
  absl::StatusOr<MadePlan> made = world.TryPlan();
  EXPECT_THAT(made, StatusIs(absl::StatusCode::kFailedPrecondition,
                             AllOf(HasSubstr("Input:Story"),
                                   HasSubstr("kinora input set"))));
  EXPECT_EQ(ReasonOf(made.status()), "INPUT_MISSING");
}

TEST_F(MakePlanTest, ConstantIndexBeyondADimensionIsRefused) {
  Edit("first: \"SegmentText[0]\"", "first: \"SegmentText[7]\"");
  EXPECT_THAT(world_.TryPlan(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("nodes.Narration.inputs.first"),
                             HasSubstr("size is 2"))));
}

TEST_F(MakePlanTest, EmptyDimensionLeavesAnEmptyFanIn) {
  Edit("minimum: 1", "minimum: 0");
  world_.Set("Input:SegmentCount", "0");
  Edit(", first: \"SegmentText[0]\"", "", edited_);
  EXPECT_THAT(world_.Run(), ElementsAre("Film"));
  EXPECT_THAT(JobIds(world_.Plan()), IsEmpty());
}

TEST_F(MakePlanTest, ValueWithoutAPlaceIsAWarning) {
  world_.Set("Input:Prompt[segment=1]", "\"fog\"");
  world_.Set("Input:SegmentCount", "1");
  ASSERT_OK_AND_ASSIGN(MadePlan made, world_.TryPlan());
  EXPECT_THAT(made.warnings, ElementsAre(HasSubstr("Input:Prompt[segment=1]")));
}

TEST_F(MakePlanTest, ValueThatNoLongerFitsIsRefused) {
  Edit("Story: {type: text", "Story: {type: integer");
  EXPECT_THAT(world_.TryPlan(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("Input:Story"), HasSubstr("integer"))));
}

TEST_F(MakePlanTest, ProducerGivenTwiceIsRefused) {
  PlanInputs in = world_.Inputs();
  in.producers.resize(2);
  in.producers[0].set_name("script");
  in.producers[0].set_version("1");
  in.producers[1] = in.producers[0];
  EXPECT_THAT(MakePlan(in),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "producers[1].name: is given twice, got \"script\""));
}

// Every key would be another one once the producer says which it has.
TEST_F(MakePlanTest, AProducerWithoutItsVersionIsRefused) {
  PlanInputs in = world_.Inputs();
  in.producers.resize(1);
  in.producers[0].set_name("script");
  EXPECT_THAT(MakePlan(in),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("producers[0].version: producer \"script\" "
                                 "has a version, or is left out")));
}

}  // namespace
}  // namespace kinora

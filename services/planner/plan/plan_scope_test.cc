// Scopes: what a plan is narrowed or widened to.

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/planner/plan/plan_world.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kYaml[] = R"(blueprint: film
inputs:
  Story: {type: text}
  Style: {type: text, default: "dark"}
  Tune: {type: text}
dimensions:
  segment: {size: 3}
nodes:
  Script:
    producer: script
    inputs: {story: "Input:Story"}
    outputs: {Text: {type: text/plain, over: [segment]}}
  Picture:
    producer: picture
    over: [segment]
    inputs: {text: "Text[segment]", style: "Input:Style"}
    outputs: {Image: image/png}
  Clip:
    producer: clip
    over: [segment]
    inputs: {image: "Image[segment]"}
    outputs: {Video: video/mp4}
  Music:
    producer: music
    inputs: {tune: "Input:Tune"}
    outputs: {Song: audio/wav}
  Film:
    producer: film
    inputs: {videos: {all: "Video[segment]"}, song: Song}
    outputs: {Film: video/mp4}
)";

class PlanScopeTest : public ::testing::Test {
 protected:
  PlanScopeTest() : world_(kYaml) {
    world_.Set("Input:Story", "\"a cat\"");
    world_.Set("Input:Tune", "\"a waltz\"");
  }

  v1::PlanScope& scope() { return world_.scope; }
  std::string Refusal() {
    const absl::Status status = world_.TryPlan().status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  }
  std::vector<std::string> Warnings() {
    absl::StatusOr<MadePlan> made = world_.TryPlan();
    return made.ok() ? made->warnings : std::vector<std::string>{"no plan"};
  }

  PlanWorld world_;
};

// F: B-5 (only these targets)
TEST_F(PlanScopeTest, OnlyPlansWhatTheTargetIsMadeFrom) {
  scope().add_only("Image[segment=1]");
  v1::Plan plan = world_.Plan();
  EXPECT_THAT(JobIds(plan), ElementsAre("Script", "Picture[segment=1]"));
  EXPECT_EQ(plan.summary().left_jobs(), 7);
  EXPECT_THAT(plan.scope().only(), ElementsAre("Artifact:Image[segment=1]"));
  world_.Run(plan);
  // The rest is made by the next plan, and this is not made again.
  scope().Clear();
  plan = world_.Plan();
  EXPECT_EQ(JobIds(plan).size(), 7u);
  EXPECT_EQ(plan.layers(0).jobs(0).job_id(), "Picture[segment=0]");
  EXPECT_EQ(plan.layers(0).jobs(0).reason().kind(), v1::REASON_KIND_MISSING);
  world_.Run(plan);
  EXPECT_FALSE(world_.called_twice);
}

TEST_F(PlanScopeTest, AnIdWithoutIndicesIsAllOfThem) {
  scope().add_only("Image");
  EXPECT_EQ(JobIds(world_.Plan()).size(), 4u);
}

TEST_F(PlanScopeTest, InputsThatOnlyOthersNeedMayBeMissing) {
  PlanWorld world(kYaml);
  world.Set("Input:Story", "\"a cat\"");
  EXPECT_THAT(
      world.TryPlan().status(),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("Input:Tune")));
  world.scope.add_only("Image");
  EXPECT_OK(world.TryPlan());
}

// F: B-5 (pin)
TEST_F(PlanScopeTest, APinnedArtefactStaysAndIsDirtyAgainNextTime) {
  world_.Run();
  world_.Set("Input:Style", "\"light\"");
  scope().add_pin("Artifact:Image[segment=1]");
  v1::Plan plan = world_.Plan();
  EXPECT_THAT(JobIds(plan),
              ElementsAre("Picture[segment=0]", "Picture[segment=2]",
                          "Clip[segment=0]", "Clip[segment=2]", "Film"));
  EXPECT_EQ(plan.summary().left_jobs(), 1);
  const v1::ManifestArtefact before =
      world_.manifest.artefacts().at("Artifact:Image[segment=1]");
  world_.Run(plan);
  EXPECT_EQ(ContentHash(world_.manifest.artefacts()
                            .at("Artifact:Image[segment=1]")
                            .content()),
            ContentHash(before.content()));
  scope().Clear();
  plan = world_.Plan();
  EXPECT_THAT(JobIds(plan),
              ElementsAre("Picture[segment=1]", "Clip[segment=1]", "Film"));
  EXPECT_EQ(plan.layers(0).jobs(0).reason().kind(),
            v1::REASON_KIND_LEFT_BEHIND);
}

// F: B-5 (regenerate)
TEST_F(PlanScopeTest, RegenerateMakesACleanArtefactAnew) {
  world_.Run();
  scope().add_regenerate("Image[segment=2]");
  const v1::Plan plan = world_.Plan();
  EXPECT_THAT(JobIds(plan),
              ElementsAre("Picture[segment=2]", "Clip[segment=2]", "Film"));
  const v1::PlannedJob& job = plan.layers(0).jobs(0);
  EXPECT_TRUE(job.forced());
  EXPECT_EQ(job.need(), v1::JOB_NEED_MUST_RUN);
  EXPECT_EQ(job.reason().kind(), v1::REASON_KIND_FORCED);
  EXPECT_FALSE(plan.layers(1).jobs(0).forced());
  world_.constant["Picture[segment=2]"] = "another one";
  EXPECT_EQ(world_.Run(plan).size(), 3u);
  scope().Clear();
  EXPECT_THAT(JobIds(world_.Plan()), IsEmpty());
}

// F: B-5 (with its lineage)
TEST_F(PlanScopeTest, RegenerateWithLineageGoesBackToTheInputs) {
  world_.Run();
  scope().add_regenerate("Video[segment=2]");
  scope().set_with_lineage(true);
  const v1::Plan plan = world_.Plan();
  std::vector<std::string> forced;
  for (const v1::PlanLayer& layer : plan.layers()) {
    for (const v1::PlannedJob& job : layer.jobs()) {
      if (job.forced()) forced.push_back(job.job_id());
    }
  }
  EXPECT_THAT(forced,
              ElementsAre("Script", "Picture[segment=2]", "Clip[segment=2]"));
  EXPECT_EQ(plan.summary().may_run_jobs(), 5);
}

// F: B-5 (up to this layer)
TEST_F(PlanScopeTest, UpToALayerLeavesWhatComesAfter) {
  scope().set_up_to_layer(2);
  v1::Plan plan = world_.Plan();
  EXPECT_EQ(plan.layers_size(), 2);
  EXPECT_THAT(JobIds(plan),
              ElementsAre("Script", "Music", "Picture[segment=0]",
                          "Picture[segment=1]", "Picture[segment=2]"));
  EXPECT_EQ(plan.summary().left_jobs(), 4);
  world_.Run(plan);
  plan = world_.Plan();
  EXPECT_EQ(JobIds(plan).size(), 4u);  // clips, then the film
}

// F: B-5 (from this dimension index)
TEST_F(PlanScopeTest, FromAnIndexLeavesTheJobsBefore) {
  world_.Run();
  world_.Set("Input:Style", "\"light\"");
  v1::DimensionIndex& from = *scope().add_from_index();
  from.set_dimension("segment");
  from.set_index(1);
  EXPECT_THAT(JobIds(world_.Plan()),
              ElementsAre("Picture[segment=1]", "Picture[segment=2]",
                          "Clip[segment=1]", "Clip[segment=2]", "Film"));
}

// F: B-5 (contradictions are errors)
TEST_F(PlanScopeTest, ContradictionsAreRefused) {
  scope().add_pin("Image[segment=0]");
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("Artifact:Image[segment=0]"),
                               HasSubstr("no value that could be kept")));
  scope().Clear();
  v1::DimensionIndex& from = *scope().add_from_index();
  from.set_dimension("segment");
  from.set_index(1);
  EXPECT_THAT(Refusal(),
              AllOf(HasSubstr("Film reads Artifact:Video[segment=0]"),
                    HasSubstr("has no value yet")));
  scope().Clear();
  world_.Run();
  scope().add_regenerate("Video[segment=0]");
  scope().set_with_lineage(true);
  scope().add_pin("Text[segment=1]");
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("Artifact:Text[segment=1]"),
                               HasSubstr("of job Script")));
  EXPECT_EQ(ReasonOf(world_.TryPlan().status()), "SCOPE_CONTRADICTION");
}

TEST_F(PlanScopeTest, ControlsNameWhatTheyDoNotFit) {
  scope().add_only("Imag");
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("scope.only"), HasSubstr("\"Imag\""),
                               HasSubstr("did you mean \"Image\"")));
  scope().Clear();
  scope().add_regenerate("Image[segment=3]");
  EXPECT_THAT(Refusal(), HasSubstr("there is no such artefact"));
  scope().Clear();
  scope().add_pin("Input:Story");
  EXPECT_THAT(Refusal(), HasSubstr("must be an artefact"));
  scope().Clear();
  scope().set_with_lineage(true);
  EXPECT_THAT(Refusal(), HasSubstr("scope.with_lineage"));
  scope().Clear();
  scope().add_from_index()->set_dimension("segmen");
  EXPECT_THAT(Refusal(), HasSubstr("did you mean \"segment\""));
  scope().Clear();
  v1::DimensionIndex& from = *scope().add_from_index();
  from.set_dimension("segment");
  from.set_index(3);
  EXPECT_THAT(Refusal(), HasSubstr("segment=3"));
}

// F: B-5 (controls out of scope are warnings)
TEST_F(PlanScopeTest, ControlsThatChangeNothingAreWarnedOf) {
  world_.Run();
  scope().add_pin("Song");
  EXPECT_THAT(Warnings(), ElementsAre(HasSubstr("Artifact:Song is clean")));
  scope().Clear();
  scope().add_only("Song");
  scope().add_regenerate("Image[segment=0]");
  EXPECT_THAT(Warnings(),
              ElementsAre(HasSubstr("Image[segment=0] is not made anew")));
}

}  // namespace
}  // namespace kinora

// Takes: the draw of a job is part of its key, and an input chooses it.

#include "common/content.h"
#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/planner/plan/plan_world.h"
#include "services/planner/plan/takes.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kYaml[] = R"(blueprint: film
inputs:
  Story: {type: text}
  Count: {type: integer, default: 3}
dimensions:
  segment: {size: Input:Count}
nodes:
  Script:
    producer: script
    inputs: {story: "Input:Story"}
    outputs: {Text: {type: text/plain, over: [segment]}}
  Picture:
    producer: picture
    over: [segment]
    inputs: {text: "Text[segment]"}
    outputs: {Image: image/png, Caption: text/plain}
  Film:
    producer: film
    inputs: {images: {all: "Image[segment]"}}
    outputs: {Film: video/mp4}
)";

constexpr char kTake[] = "Input:Take_Picture[segment=1]";

class PlanTakesTest : public ::testing::Test {
 protected:
  PlanTakesTest() : world_(kYaml) {
    world_.Set("Input:Story", "\"a cat\"");
    world_.Run();
  }

  std::string ImageHash() const {
    return ContentHash(
        world_.manifest.artefacts().at("Artifact:Image[segment=1]").content());
  }

  PlanWorld world_;
};

// F: B-13
TEST_F(PlanTakesTest, ARerollMakesTheJobAndWhatReadsIt) {
  const std::string before = ImageHash();
  world_.Set(kTake, "1");
  const v1::Plan plan = world_.Plan();
  EXPECT_THAT(JobIds(plan), ElementsAre("Picture[segment=1]", "Film"));
  const v1::PlannedJob& picture = plan.layers(0).jobs(0);
  EXPECT_EQ(picture.draw(), 1u);
  EXPECT_EQ(picture.reason().kind(), v1::REASON_KIND_TAKE_CHANGED);
  EXPECT_EQ(picture.reason().text(),
            std::string("take changed to 1: ") + kTake);
  EXPECT_THAT(plan.summary().changed_inputs(), ElementsAre(kTake));
  world_.Run(plan);
  EXPECT_NE(ImageHash(), before);
  EXPECT_THAT(JobIds(world_.Plan()), IsEmpty());
}

// F: B-13
TEST_F(PlanTakesTest, GoingBackAndForthRerollsNothing) {
  const std::string first = ImageHash();
  world_.Set(kTake, "1");
  world_.Run();
  const std::string second = ImageHash();
  world_.Set(kTake, "0");
  EXPECT_THAT(world_.Run(), IsEmpty());
  EXPECT_EQ(ImageHash(), first);
  world_.Set(kTake, "1");
  EXPECT_THAT(world_.Run(), IsEmpty());
  EXPECT_EQ(ImageHash(), second);
  EXPECT_FALSE(world_.called_twice);
}

TEST_F(PlanTakesTest, AnUndoBeforeTheRunIsClean) {
  world_.Set(kTake, "7");
  EXPECT_EQ(JobIds(world_.Plan()).size(), 2u);
  world_.Set(kTake, "0");
  const v1::Plan plan = world_.Plan();
  EXPECT_THAT(JobIds(plan), IsEmpty());
  EXPECT_EQ(plan.reused_size(), 0);
}

TEST_F(PlanTakesTest, ATakeStaysChosenWhenTheStoryChanges) {
  world_.Set(kTake, "2");
  world_.Run();
  world_.Set("Input:Story", "\"a dog\"");
  const v1::Plan plan = world_.Plan();
  ASSERT_EQ(plan.layers_size(), 3);
  EXPECT_EQ(plan.layers(1).jobs(0).draw(), 0u);
  EXPECT_EQ(plan.layers(1).jobs(1).draw(), 2u);
  world_.Run(plan);
  EXPECT_THAT(JobIds(world_.Plan()), IsEmpty());
}

TEST_F(PlanTakesTest, ATakeThatAScopeLeftIsNamed) {
  world_.Set(kTake, "1");
  v1::DimensionIndex& from = *world_.scope.add_from_index();
  from.set_dimension("segment");
  from.set_index(2);
  EXPECT_THAT(world_.Run(), IsEmpty());
  world_.scope.Clear();
  const v1::Plan plan = world_.Plan();
  EXPECT_THAT(JobIds(plan), ElementsAre("Picture[segment=1]", "Film"));
  const v1::JobReason& reason = plan.layers(0).jobs(0).reason();
  EXPECT_EQ(reason.kind(), v1::REASON_KIND_TAKE_CHANGED);
  EXPECT_THAT(reason.subjects(), ElementsAre(kTake));
  EXPECT_EQ(reason.text(),
            "take changed to 1: Input:Take_Picture[segment=1]; left as it was "
            "by the scope of an earlier plan");
}

TEST_F(PlanTakesTest, AStagedTakeIsAWhatIf) {
  PlanInputs in = world_.Inputs();
  v1::PendingEdit& edit = in.edits.emplace_back();
  edit.set_input_id(kTake);
  *edit.mutable_content() = InlineContent("application/json", "1");
  ASSERT_OK_AND_ASSIGN(const MadePlan made, MakePlan(in));
  EXPECT_EQ(made.plan.summary().must_run_jobs(), 1);
  EXPECT_EQ(made.plan.summary().may_run_jobs(), 1);
  EXPECT_THAT(JobIds(world_.Plan()), IsEmpty());
}

TEST_F(PlanTakesTest, ATakeOfASegmentThatIsGoneIsWarnedOf) {
  world_.Set(kTake, "1");
  world_.Run();
  world_.Set("Input:Count", "1");
  ASSERT_OK_AND_ASSIGN(const MadePlan made, world_.TryPlan());
  EXPECT_THAT(made.warnings, ElementsAre(HasSubstr(kTake)));
}

TEST_F(PlanTakesTest, OnlyDrawsOfJobsCanBeChosen) {
  ASSERT_OK_AND_ASSIGN(const Blueprint blueprint, ParseBlueprint("", kYaml));
  const auto check = [&blueprint](const std::string& id,
                                  const std::string& json) {
    google::protobuf::RepeatedPtrField<v1::PendingEdit> edits;
    edits.Add()->set_input_id(id);
    *edits[0].mutable_content() = InlineContent("application/json", json);
    return CanonicalEdits(blueprint, {}, "edits", edits).status();
  };
  ASSERT_OK(check(kTake, "1"));
  EXPECT_THAT(check("Input:Take_Pictur", "1"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("did you mean \"Picture\"")));
  EXPECT_THAT(check("Input:Take_Picture", "1"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("its ids are Input:Take_Picture[segment=N]")));
  EXPECT_THAT(check("Input:Take_Picture[segment=3]", "1"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("dimension segment has size 3")));
  EXPECT_THAT(check(kTake, "-1"), StatusIs(absl::StatusCode::kInvalidArgument,
                                           HasSubstr("must be at least 0")));
  EXPECT_THAT(
      ParseBlueprint("f.yaml",
                     "blueprint: f\ninputs: {Take_Picture: {type: text}}\n"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("f.yaml:2")));
}

TEST(TakesTest, AnArtefactHasTheTakesOfItsJob) {
  ASSERT_OK_AND_ASSIGN(const Blueprint blueprint, ParseBlueprint("", kYaml));
  const auto take = [&blueprint](absl::string_view id) -> std::string {
    absl::StatusOr<ElementId> artefact = ElementId::Parse(id);
    if (!artefact.ok()) return artefact.status().ToString();
    absl::StatusOr<ElementId> job =
        JobOfArtefact("artefact_id", blueprint, *artefact);
    return job.ok() ? TakeOfJob(*job).ToString()
                    : std::string(job.status().message());
  };
  EXPECT_EQ(take("Artifact:Caption[segment=1]"), kTake);
  EXPECT_EQ(take("Artifact:Text[segment=1]"), "Input:Take_Script");
  EXPECT_THAT(take("Artifact:Imag[segment=1]"),
              HasSubstr("did you mean \"Image\""));
  EXPECT_THAT(take("Artifact:Image"),
              HasSubstr("its ids are Artifact:Image[segment=N]"));
}

}  // namespace
}  // namespace kinora

// Scopes of plans in which artefacts decide what jobs there are.

#include <string>
#include <vector>

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/planner/plan/plan_world.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr char kFilm[] = R"(blueprint: film
inputs:
  Story: {type: text, default: a whale}
  Prompt: {type: text, over: [segment], default: ""}
dimensions:
  segment: {size: Scenes}
  image: {within: segment, size: "Shots[segment]"}
nodes:
  Script:
    producer: script
    inputs: {story: Input:Story}
    outputs:
      Scenes: application/json
      Mood: application/json
  Storyboard:
    producer: board
    over: [segment]
    inputs: {prompt: "Input:Prompt[segment]"}
    outputs: {Shots: application/json}
  Picture:
    producer: picture
    over: [segment, image]
    inputs: {prompt: "Input:Prompt[segment]"}
    outputs: {Image: text/plain}
  Music:
    producer: music
    when: {value: Mood, is: [0, 1]}
    outputs: {Music: text/plain}
  Title: {producer: title, inputs: {story: Input:Story}, outputs: {Title: text/plain}}
  Film:
    producer: film
    inputs:
      images: {all: "Image[segment][image]"}
      music: Music
      title: Title
    outputs: {Film: text/plain}
)";

// F: B-5
class DeferredScopeTest : public ::testing::Test {
 protected:
  DeferredScopeTest() : world_(kFilm) {
    world_.constant["Script"] = "[0,1]";
    world_.constant["Storyboard[segment=0]"] = "[7]";
    world_.constant["Storyboard[segment=1]"] = "[7,8]";
  }

  v1::PlanScope& scope() { return world_.scope; }
  std::string Refusal() {
    const absl::Status status = world_.TryPlan().status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  }
  // As after a first run, with another story.
  void ChangeStory() {
    world_.Run();
    world_.Set("Input:Story", "\"a shark\"");
  }

  PlanWorld world_;
};

TEST_F(DeferredScopeTest, ATargetThatNothingDecidesAboutWaitsForNothing) {
  scope().add_only("Title");
  const v1::Plan plan = world_.Plan();
  EXPECT_THAT(JobIds(plan), ElementsAre("Title"));
  EXPECT_THAT(plan.deferred(), IsEmpty());
  EXPECT_EQ(plan.summary().deferred_nodes(), 0);
  EXPECT_EQ(plan.summary().deferred_jobs(), 0);
  // Script, Music and Film.
  EXPECT_EQ(plan.summary().left_jobs(), 3);
  EXPECT_THAT(world_.Run(plan), ElementsAre("Title"));
}

// Whatever is on the way to it runs, what decides about it included, and no
// other job of the same nodes.
TEST_F(DeferredScopeTest, ATargetToComeIsMadeWithItsLineageAlone) {
  scope().add_only("Image[segment=1][image=1]");
  EXPECT_THAT(JobIds(world_.Plan()), ElementsAre("Script"));
  EXPECT_THAT(world_.Run(), ElementsAre("Script", "Storyboard[segment=1]",
                                        "Picture[segment=1][image=1]"));
  // The rest is for the next run.
  scope().Clear();
  EXPECT_THAT(world_.Run(),
              UnorderedElementsAre("Title", "Music", "Storyboard[segment=0]",
                                   "Picture[segment=0][image=0]",
                                   "Picture[segment=1][image=0]", "Film"));
  EXPECT_FALSE(world_.called_twice);
}

TEST_F(DeferredScopeTest, ANameStandsForAllThatCome) {
  scope().add_only("Image");
  EXPECT_THAT(world_.Run(),
              UnorderedElementsAre(
                  "Script", "Storyboard[segment=0]", "Storyboard[segment=1]",
                  "Picture[segment=0][image=0]", "Picture[segment=1][image=0]",
                  "Picture[segment=1][image=1]"));
}

TEST_F(DeferredScopeTest, ANameStandsForAllThatComeWhereThereWereNone) {
  world_.constant["Storyboard[segment=1]"] = "[]";
  world_.Run();
  world_.constant["Storyboard[segment=1]"] = "[7]";
  world_.Set("Input:Prompt[segment=1]", "\"foam\"");
  scope().add_only("Image");
  EXPECT_THAT(world_.Run(), ElementsAre("Storyboard[segment=1]",
                                        "Picture[segment=1][image=0]"));
}

TEST_F(DeferredScopeTest, ATargetUnderAConditionNeedsWhatTheConditionLooksAt) {
  scope().add_only("Music");
  EXPECT_THAT(world_.Run(), ElementsAre("Script", "Music"));
}

// What is asked for turns out not to come.
TEST_F(DeferredScopeTest, ATargetThatDoesNotComeIsNamed) {
  scope().add_only("Image[segment=7][image=0]");
  world_.Plan();
  scope().Clear();
  world_.Run();
  scope().add_only("Image[segment=7][image=0]");
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("scope.only"),
                               HasSubstr("Image[segment=7][image=0]"),
                               HasSubstr("there is no such artefact: segment "
                                         "has 2 elements, counted from 0")));
  scope().set_only(0, "Image[segment=0][image=1]");
  EXPECT_THAT(Refusal(), HasSubstr("image has 1 element at segment=0, counted "
                                   "from 0"));
  scope().set_only(0, "Image[image=0][segment=1]");
  EXPECT_THAT(Refusal(), HasSubstr("there is no such artefact"));
}

TEST_F(DeferredScopeTest, AnIndexToComeOfTheWrongDimensionsIsRefused) {
  scope().add_only("Image[image=0][segment=1]");
  EXPECT_THAT(Refusal(), HasSubstr("Image[image=0][segment=1]"));
  scope().set_only(0, "Image[segment=1]");
  EXPECT_THAT(Refusal(), HasSubstr("Image[segment=1]"));
}

// It is made anew once: the expansion takes it for done.
TEST_F(DeferredScopeTest, WhatDecidesIsMadeAnewOnce) {
  world_.Run();
  scope().add_regenerate("Scenes");
  EXPECT_THAT(JobIds(world_.Plan()), ElementsAre("Script"));
  EXPECT_THAT(world_.Run(), ElementsAre("Script"));
  EXPECT_EQ(world_.expansions, 1);

  world_.constant["Script"] = "[0]";
  EXPECT_THAT(world_.Run(), ElementsAre("Script", "Film"));
  EXPECT_FALSE(world_.manifest.artefacts().contains("Artifact:Music"));
}

TEST_F(DeferredScopeTest, WhatIsToComeIsMadeAnewOnce) {
  ChangeStory();
  scope().add_regenerate("Image[segment=1][image=0]");
  EXPECT_THAT(JobIds(world_.Plan()), ElementsAre("Script", "Title"));
  EXPECT_THAT(world_.Run(),
              UnorderedElementsAre("Script", "Title",
                                   "Picture[segment=1][image=0]", "Film"));
}

// What decides is made anew first; what else belongs to the lineage follows.
TEST_F(DeferredScopeTest, ALineageIsMadeAnewAsItBecomesKnown) {
  world_.Run();
  scope().add_regenerate("Image[segment=1][image=0]");
  scope().set_with_lineage(true);
  EXPECT_THAT(JobIds(world_.Plan()), ElementsAre("Script"));
  EXPECT_THAT(world_.Run(),
              UnorderedElementsAre("Script", "Storyboard[segment=1]",
                                   "Picture[segment=1][image=0]"));
}

// Each clip is made from the one before, or after it, and when the acts are
// known the number of clips is not.
TEST_F(DeferredScopeTest, ALineageEndsThoughNobodyKnowsHowLongAChainIs) {
  constexpr char kChain[] = R"(blueprint: chain
inputs:
  Story: {type: text, default: a whale}
dimensions:
  act: {size: Acts}
  clip: {size: Cuts}
nodes:
  Script: {producer: script, inputs: {story: Input:Story}, outputs: {Acts: application/json}}
  Act: {producer: act, over: [act], inputs: {story: Input:Story}, outputs: {Act: text/plain}}
  Cut: {producer: cut, inputs: {acts: {all: "Act[act]"}}, outputs: {Cuts: application/json}}
  Clip:
    producer: clip
    over: [clip]
    inputs: {other: "Clip[clip-1]", story: Input:Story}
    outputs: {Clip: text/plain}
  Film: {producer: film, inputs: {clips: {all: "Clip[clip]"}}, outputs: {Film: text/plain}}
)";
  for (const char* other : {"Clip[clip-1]", "Clip[clip+1]"}) {
    std::string yaml = kChain;
    yaml.replace(yaml.find("Clip[clip-1]"), 12, other);
    PlanWorld world(yaml);
    world.constant["Script"] = "[0,1]";
    world.constant["Cut"] = "[0,1]";
    world.scope.add_regenerate("Clip[clip=999999]");
    world.scope.set_with_lineage(true);
    EXPECT_THAT(world.Run(), AllOf(Contains("Act[act=1]"), Contains("Cut")));
    EXPECT_EQ(world.expansions, 2) << world.refusal;
  }
}

// The palette is reused in the plan before it is known who reads it.
TEST_F(DeferredScopeTest, ALineageThatMayNotBeCompleteIsRefused) {
  std::string yaml = kFilm;
  const std::string prompt = "  Picture:\n";
  yaml.insert(yaml.find(prompt),
              "  Palette: {producer: palette, inputs: {story: Input:Story}, "
              "outputs: {Palette: text/plain}}\n");
  const std::string image = "    outputs: {Image";
  yaml.replace(yaml.rfind("inputs: {prompt", yaml.find(image)),
               std::string("inputs: {prompt").size(),
               "inputs: {palette: Palette, prompt");
  world_.SetBlueprint(yaml);
  world_.Run();
  world_.Set("Input:Story", "\"a shark\"");
  world_.Run();
  world_.Set("Input:Story", "\"a whale\"");
  scope().add_regenerate("Image[segment=1][image=0]");
  scope().set_with_lineage(true);
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("scope.with_lineage"),
                               HasSubstr("Artifact:Image[segment=1][image=0] "
                                         "is made from what Palette makes")));
  scope().set_regenerate(0, "Music");
  EXPECT_THAT(world_.Run(), AllOf(Contains("Script"), Contains("Music")));
}

// Which artefacts a name stands for may change during the run.
TEST_F(DeferredScopeTest, ANameHoldsAlsoIfItsJobIsSwitchedOff) {
  world_.Run();
  world_.constant["Script"] = "[0]";
  world_.Set("Input:Story", "\"a shark\"");
  scope().add_regenerate("Music");
  EXPECT_THAT(world_.Run(), UnorderedElementsAre("Script", "Title", "Film"));
}

TEST_F(DeferredScopeTest, ATargetThatIsSwitchedOffIsRefused) {
  world_.Run();
  world_.constant["Script"] = "[0]";
  world_.Set("Input:Story", "\"a shark\"");
  scope().add_only("Music");
  EXPECT_THAT(JobIds(world_.Plan()), ElementsAre("Script"));
  scope().set_only(0, "Scenes");
  world_.Run();
  scope().set_only(0, "Music");
  EXPECT_THAT(Refusal(),
              AllOf(HasSubstr("scope.only"), HasSubstr("\"Artifact:Music\""),
                    HasSubstr("a condition switches its job off")));
}

TEST_F(DeferredScopeTest, LayersAreCountedAsFarAsTheyAreKnown) {
  scope().set_up_to_layer(2);
  EXPECT_THAT(Refusal(),
              AllOf(HasSubstr("scope.up_to_layer"), HasSubstr("after layer 1"),
                    HasSubstr("Artifact:Mood is made")));
  scope().set_up_to_layer(1);
  const v1::Plan plan = world_.Plan();
  EXPECT_THAT(plan.deferred(), IsEmpty());
  EXPECT_THAT(world_.Run(plan), ElementsAre("Script", "Title"));
  // Now that the lists are there, layers are counted on.
  EXPECT_THAT(world_.Run(), ElementsAre("Storyboard[segment=0]",
                                        "Storyboard[segment=1]", "Music"));
}

TEST_F(DeferredScopeTest, IndicesBeforeTheFirstAskedForAreLeft) {
  world_.Run();
  world_.Set("Input:Story", "\"a shark\"");
  world_.Set("Input:Prompt[segment=0]", "\"teeth\"");
  world_.Set("Input:Prompt[segment=1]", "\"foam\"");
  v1::DimensionIndex& from = *scope().add_from_index();
  from.set_dimension("segment");
  from.set_index(1);
  EXPECT_THAT(world_.Run(),
              AllOf(Contains("Storyboard[segment=1]"), Contains("Film"),
                    Not(Contains("Storyboard[segment=0]")),
                    Not(Contains("Picture[segment=0][image=0]"))));
}

TEST_F(DeferredScopeTest, WhatIsPinnedStaysAlsoIfItIsToCome) {
  world_.Run();
  world_.Set("Input:Story", "\"a shark\"");
  world_.Set("Input:Prompt[segment=1]", "\"foam\"");
  const std::string id = "Artifact:Image[segment=1][image=1]";
  const v1::ManifestArtefact before = world_.manifest.artefacts().at(id);
  scope().add_pin(id);
  EXPECT_THAT(world_.Run(),
              AllOf(Contains("Picture[segment=1][image=0]"),
                    Not(Contains("Picture[segment=1][image=1]"))));
  EXPECT_EQ(world_.manifest.artefacts().at(id).inputs_hash(),
            before.inputs_hash());
}

TEST_F(DeferredScopeTest, WhatIsPinnedMayNotCome) {
  world_.Run();
  world_.constant["Script"] = "[0]";
  world_.Set("Input:Story", "\"a shark\"");
  scope().add_pin("Image[segment=1][image=0]");
  EXPECT_THAT(world_.Run(), UnorderedElementsAre("Script", "Title", "Film"));
  EXPECT_FALSE(world_.manifest.artefacts().contains(
      "Artifact:Image[segment=1][image=0]"));
}

// The one is stricter: its job may not make it along with something new.
TEST_F(DeferredScopeTest, APinOfOneStaysBesideAPinOfAll) {
  ChangeStory();
  scope().add_pin("Image");
  scope().add_pin("Image[segment=1][image=0]");
  EXPECT_THAT(
      world_.Plan().scope().pin(),
      ElementsAre("Artifact:Image", "Artifact:Image[segment=1][image=0]"));
}

// What becomes of it is known only when it has been paid for.
TEST_F(DeferredScopeTest, WhatIsToComeIsNotBothKeptAndMade) {
  ChangeStory();
  const std::string image = "Image[segment=1][image=0]";
  scope().add_pin(image);
  scope().add_only("Image");
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("scope.pin: Artifact:" + image),
                               HasSubstr("scope.only asks to make "
                                         "Artifact:Image;"),
                               HasSubstr("only during the run")));
  EXPECT_EQ(ReasonOf(world_.TryPlan().status()), "SCOPE_CONTRADICTION");
  scope().set_only(0, "Image[segment=0]");
  EXPECT_THAT(Refusal(), HasSubstr("there is no such artefact"));
  scope().set_only(0, "Image[segment=0][image=0]");
  EXPECT_OK(world_.TryPlan());
  scope().clear_only();
  scope().add_regenerate(image);
  EXPECT_THAT(Refusal(), HasSubstr("scope.regenerate asks to make anew"));
  EXPECT_EQ(ReasonOf(world_.TryPlan().status()), "SCOPE_CONTRADICTION");
  scope().set_regenerate(0, "Film");
  EXPECT_OK(world_.TryPlan());
  scope().set_with_lineage(true);
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("scope.with_lineage"),
                               HasSubstr(image + ", which scope.pin keeps")));
  scope().Clear();
  scope().add_only("Music");
  scope().add_pin("Music");
  EXPECT_THAT(Refusal(), HasSubstr("is clean is known only during the run"));
}

TEST_F(DeferredScopeTest, ATargetToComeBeforeTheIndexIsRefused) {
  v1::DimensionIndex& from = *scope().add_from_index();
  from.set_dimension("segment");
  from.set_index(1);
  scope().add_only("Image[segment=0][image=0]");
  EXPECT_THAT(Refusal(), HasSubstr("before segment=1 alone"));
  scope().set_only(0, "Image");
  EXPECT_OK(world_.TryPlan());
}

TEST_F(DeferredScopeTest, WhatIsDecidedAfterTheLastLayerIsWarnedOf) {
  scope().add_only("Image");
  scope().set_up_to_layer(1);
  ASSERT_OK_AND_ASSIGN(const MadePlan made, world_.TryPlan());
  EXPECT_THAT(made.warnings,
              ElementsAre("scope.only: Artifact:Image is not made: it is "
                          "decided after the last layer that "
                          "scope.up_to_layer asks for"));
}

// Without the limit they wait for the list, and so are in no layer.
TEST_F(DeferredScopeTest, WhatALaterLayerDecidesIsInNoneOfTheLayers) {
  std::string yaml = kFilm;
  const std::string script = "inputs: {story: Input:Story}";
  yaml.replace(yaml.find(script), script.size(), "inputs: {idea: Idea}");
  yaml.insert(yaml.find("  Script:\n"),
              "  Idea: {producer: idea, inputs: {story: Input:Story}, outputs: "
              "{Idea: text/plain}}\n");
  world_.SetBlueprint(yaml);
  ChangeStory();
  world_.Set("Input:Prompt[segment=0]", "\"teeth\"");
  EXPECT_THAT(JobIds(world_.Plan()), ElementsAre("Idea", "Title", "Script"));
  scope().set_up_to_layer(1);
  const v1::Plan plan = world_.Plan();
  EXPECT_THAT(JobIds(plan), ElementsAre("Idea", "Title"));
  EXPECT_THAT(plan.deferred(), IsEmpty());
  EXPECT_THAT(plan.removed_artefact_ids(), IsEmpty());
  EXPECT_THAT(world_.Run(plan), ElementsAre("Idea", "Title"));
  scope().Clear();
  EXPECT_THAT(world_.Run(), AllOf(Contains("Script"),
                                  Contains("Picture[segment=0][image=0]")));
}

// Whatever one target is, it is what a run of everything makes.
TEST_F(DeferredScopeTest, EveryTargetIsWhatARunOfEverythingMakes) {
  PlanWorld whole = world_;
  whole.Run();
  ASSERT_EQ(whole.manifest.artefacts_size(), 10);
  for (const auto& [id, artefact] : whole.manifest.artefacts()) {
    SCOPED_TRACE(id);
    PlanWorld part = world_;
    part.scope.add_only(id);
    const std::vector<std::string> called = part.Run();
    ASSERT_TRUE(part.manifest.artefacts().contains(id));
    EXPECT_EQ(part.manifest.artefacts().at(id).inputs_hash(),
              artefact.inputs_hash());
    if (id != "Artifact:Film") {
      EXPECT_LT(called.size(), 6u);
    }
    EXPECT_THAT(part.Run(), IsEmpty());
  }
}

}  // namespace
}  // namespace kinora

// Plans of blueprints in which artefacts decide: how many segments there are by
// the length of a list, which jobs are active by what a condition finds.

#include <string>
#include <vector>

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/planner/plan/expand_plan.h"
#include "services/planner/plan/make_plan.h"
#include "services/planner/plan/plan_world.h"

namespace kinora {
namespace {

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
      Script: application/json
      Scenes: application/json
      Mood: application/json
  Storyboard:
    producer: board
    over: [segment]
    inputs: {scenes: Scenes, prompt: "Input:Prompt[segment]"}
    outputs: {Shots: application/json}
  Picture:
    producer: picture
    over: [segment, image]
    inputs: {shots: "Shots[segment]"}
    outputs: {Image: text/plain}
  Music:
    producer: music
    when: {value: Mood, is: [0, 1]}
    inputs: {mood: Mood}
    outputs: {Music: text/plain}
  Title: {producer: title, inputs: {story: Input:Story}, outputs: {Title: text/plain}}
  Film:
    producer: film
    inputs:
      images: {all: "Image[segment][image]"}
      music: Music
      title: Title
    outputs: {Film: text/plain}
outputs: [Film]
)";

// `Node by dimension or ?: artefact`, or `Node behind nodes`.
std::vector<std::string> Groups(
    const google::protobuf::RepeatedPtrField<v1::DeferredGroup>& groups) {
  std::vector<std::string> texts;
  for (const v1::DeferredGroup& group : groups) {
    std::string text = group.node();
    if (group.behind_nodes_size() == 0) {
      text += " by " + (group.is_condition() ? "?" : group.dimension()) + ": " +
              group.sized_by_artefact_id();
    }
    for (const std::string& node : group.behind_nodes()) {
      text += " behind " + node;
    }
    texts.push_back(text);
  }
  return texts;
}

class DeferredPlanTest : public ::testing::Test {
 protected:
  DeferredPlanTest() : world_(kFilm) {
    world_.constant["Script"] = "[0,1]";
    world_.constant["Storyboard[segment=0]"] = "[7]";
    world_.constant["Storyboard[segment=1]"] = "[7,8]";
  }

  PlanWorld world_;
};

// F: B-2
TEST_F(DeferredPlanTest, WhatAListDecidesIsDeferredUntilItIsThere) {
  const v1::Plan plan = world_.Plan();
  EXPECT_THAT(JobIds(plan.layers()), ElementsAre("Script", "Title"));
  EXPECT_THAT(Groups(plan.deferred()),
              ElementsAre("Film by segment: Artifact:Scenes",
                          "Music by ?: Artifact:Mood",
                          "Picture by segment: Artifact:Scenes",
                          "Storyboard by segment: Artifact:Scenes"));
  EXPECT_EQ(plan.summary().total_jobs(), 2);
  EXPECT_EQ(plan.summary().deferred_nodes(), 4);
  EXPECT_EQ(plan.summary().deferred_jobs(), 2);
  // An expansion is made with the versions of these.
  EXPECT_EQ(plan.nodes_size(), 6);
}

TEST_F(DeferredPlanTest, RunsExpandUntilNothingIsLeft) {
  EXPECT_THAT(
      world_.Run(),
      ElementsAre("Script", "Title", "Storyboard[segment=0]",
                  "Storyboard[segment=1]", "Music",
                  "Picture[segment=0][image=0]", "Picture[segment=1][image=0]",
                  "Picture[segment=1][image=1]", "Film"));
  EXPECT_EQ(world_.expansions, 2);
  EXPECT_FALSE(world_.called_twice);
  const v1::Plan plan = world_.Plan();
  EXPECT_THAT(JobIds(plan.layers()), IsEmpty());
  EXPECT_THAT(Groups(plan.deferred()), IsEmpty());
  EXPECT_EQ(plan.summary().clean_jobs(), 9);
}

// Else it would be told when the script has been paid for.
TEST_F(DeferredPlanTest, AnInputThatJobsToComeWillMissIsWarnedOf) {
  std::string yaml = kFilm;
  const std::string music = "inputs: {mood: Mood}";
  yaml.replace(yaml.find(music), music.size(),
               "inputs: {mood: Mood, tune: \"Input:Tune\"}");
  yaml.insert(yaml.find("dimensions:"), "  Tune: {type: text}\n");
  world_.SetBlueprint(yaml);
  const auto warnings = [this] {
    absl::StatusOr<MadePlan> made = world_.TryPlan();
    EXPECT_OK(made);
    return made.ok() ? made->warnings : std::vector<std::string>();
  };
  EXPECT_THAT(warnings(),
              Contains("Input:Tune has no value, and jobs of Music that may "
                       "come during the run read it"));
  world_.Set("Input:Tune", "\"a waltz\"");
  EXPECT_THAT(warnings(), Not(Contains(HasSubstr("Input:Tune"))));
}

// F: S1-22
TEST_F(DeferredPlanTest, AShorterListTakesArtefactsAway) {
  world_.Run();
  world_.constant["Script"] = "[0]";
  world_.Set("Input:Story", "\"a shark\"");
  const v1::Plan plan = world_.Plan();
  EXPECT_THAT(JobIds(plan.layers()), ElementsAre("Script", "Title"));
  // What the base has beyond is not known to be gone yet.
  EXPECT_THAT(plan.removed_artefact_ids(), IsEmpty());
  EXPECT_EQ(plan.summary().deferred_nodes(), 4);
  world_.Run(plan);
  EXPECT_FALSE(world_.manifest.artefacts().contains(
      "Artifact:Image[segment=1][image=0]"));
  EXPECT_FALSE(world_.manifest.artefacts().contains("Artifact:Music"));
  EXPECT_TRUE(world_.manifest.artefacts().contains(
      "Artifact:Image[segment=0][image=0]"));
  EXPECT_THAT(JobIds(world_.Plan().layers()), IsEmpty());
  // Back to two: all of it was made before.
  world_.constant["Script"] = "[0,1]";
  world_.Set("Input:Story", "\"a whale\"");
  EXPECT_THAT(world_.Run(), IsEmpty());
  EXPECT_EQ(world_.manifest.artefacts().size(), 11u);
}

TEST_F(DeferredPlanTest, AListOfTheSameBytesRunsNothingBehindIt) {
  world_.Run();
  world_.Set("Input:Story", "\"a shark\"");
  EXPECT_THAT(world_.Run(), UnorderedElementsAre("Script", "Title", "Film"));
}

TEST_F(DeferredPlanTest, OnlyTheSegmentOfAChangedListIsDeferred) {
  world_.Run();
  world_.Set("Input:Prompt[segment=1]", "\"fog\"");
  const v1::Plan plan = world_.Plan();
  EXPECT_THAT(JobIds(plan.layers()), ElementsAre("Storyboard[segment=1]"));
  EXPECT_THAT(Groups(plan.deferred()),
              ElementsAre("Film by image: Artifact:Shots[segment=1]",
                          "Picture by image: Artifact:Shots[segment=1]"));
  // The pictures of the other segment are clean, as is the script.
  EXPECT_EQ(plan.summary().clean_jobs(), 5);
  EXPECT_EQ(plan.summary().deferred_jobs(), 1);
}

// F: B-2
TEST_F(DeferredPlanTest, AConditionOnAnArtefactFlips) {
  world_.constant["Script"] = "[0]";
  EXPECT_THAT(world_.Run(),
              ElementsAre("Script", "Title", "Storyboard[segment=0]",
                          "Picture[segment=0][image=0]", "Film"));
  EXPECT_EQ(world_.Plan().summary().inactive_jobs(), 1);
  world_.constant["Script"] = "[0,1]";
  world_.Set("Input:Story", "\"a shark\"");
  EXPECT_THAT(world_.Run(), testing::Contains("Music"));
  EXPECT_TRUE(world_.manifest.artefacts().contains("Artifact:Music"));
}

// An input at an index that comes only with the list is part of the expansion.
TEST_F(DeferredPlanTest, InputsOfFurtherSegmentsComeWithThem) {
  world_.Set("Input:Prompt[segment=1]", "\"fog\"");
  const v1::Plan plan = world_.Plan();
  ASSERT_OK_AND_ASSIGN(const MadePlan made, world_.TryPlan());
  for (const std::string& warning : made.warnings) {
    EXPECT_THAT(warning, HasSubstr("they are planned when it is made"));
  }
  EXPECT_EQ(plan.inputs_size(), 1);
  EXPECT_THAT(world_.Run(plan), testing::Contains("Storyboard[segment=1]"));
  EXPECT_THAT(JobIds(world_.Plan().layers()), IsEmpty());
}

TEST_F(DeferredPlanTest, AValueThatCannotDecideIsNamed) {
  world_.constant["Script"] = "{\"scenes\": 2}";
  v1::Plan plan = world_.Plan();
  plan.clear_deferred();
  world_.Run(plan);
  const absl::StatusOr<MadePlan> made = world_.TryPlan();
  EXPECT_THAT(made, StatusIs(absl::StatusCode::kFailedPrecondition,
                             HasSubstr("Artifact:Scenes is the size of "
                                       "dimension segment, so it must be a "
                                       "JSON list")));
  EXPECT_EQ(ReasonOf(made.status()), "DECISION_INVALID");
}

TEST_F(DeferredPlanTest, AFailedScriptIsRepeatedAndThenExpanded) {
  world_.failing = {"Script"};
  EXPECT_THAT(world_.Run(), ElementsAre("Script", "Title"));
  world_.failing.clear();
  const v1::Plan plan = world_.Plan();
  EXPECT_THAT(JobIds(plan.layers()), ElementsAre("Script"));
  EXPECT_EQ(plan.reused(0).job_id(), "Title");
  EXPECT_EQ(world_.Run(plan).size(), 8u);
}

// How many groups a fan-in has is part of what a job reads, also where there
// is nothing in them.
TEST(DeferredGroupsTest, ThatAreEmptyAreCountedWhenTheListIsThere) {
  PlanWorld world(R"(blueprint: film
dimensions:
  part: {size: 2}
  scene: {size: Scenes}
nodes:
  Script: {producer: script, outputs: {Scenes: application/json}}
  Picture:
    producer: picture
    over: [part, scene]
    outputs: {Image: text/plain}
  Review:
    producer: review
    over: [part]
    inputs: {before: {all: "Image[part-1][scene]", group: scene}}
    outputs: {Review: text/plain}
)");
  world.constant["Script"] = "[0,1,2]";
  const v1::Plan plan = world.Plan();
  EXPECT_THAT(JobIds(plan.layers()), ElementsAre("Script"));
  EXPECT_EQ(plan.summary().deferred_jobs(), 2);
  EXPECT_THAT(world.Run(plan), Contains("Review[part=0]"));
  EXPECT_THAT(JobIds(world.Plan().layers()), IsEmpty());
}

struct BadDecider {
  const char* from;
  const char* to;
  const char* message;
};

TEST(DecidingBlueprintTest, WhatDecidesMustBeUpstreamAndFit) {
  const BadDecider kBad[] = {
      {"size: Scenes", "size: Scens",
       "film.yaml:6: dimensions.segment.size: unknown artefact \"Scens\"; did "
       "you mean \"Scenes\"?"},
      {"size: Scenes", "size: Title",
       "a size is the length of a JSON list, but \"Title\" is text/plain"},
      {"size: Scenes", "size: Shots", "write \"Shots[segment]\", the artefact"},
      {"size: Scenes", "size: \"Shots[segment]\"",
       "\"Shots\" is over segment itself, so it cannot be its size"},
      {"within: segment, size: \"Shots[segment]\"", "size: \"Shots[segment]\"",
       "is not nested in segment: add within: segment"},
      {"inputs: {story: Input:Story}\n    outputs:",
       "inputs: {story: Input:Story, images: {all: "
       "\"Image[segment][image]\"}}\n    outputs:",
       "cycle: Script -> "},
      {"inputs: {story: Input:Story}\n    outputs:",
       "inputs: {before: {from: Music, else: Input:Story}}\n    outputs:",
       "nodes.Music.when: cycle: \"Mood\" decides about node Music, but node "
       "Script, which makes it, depends on that itself"},
      {"      Mood: application/json",
       "      Mood: application/json\n"
       "      Text: {type: text/plain, over: [segment]}",
       "dimensions.segment.size: cycle: \"Scenes\" decides about dimension "
       "segment"},
      {"when: {value: Mood, is: [0, 1]}", "when: {value: Mood, at_least: x}",
       "nodes.Music.when.at_least"},
      {"when: {value: Mood, is: [0, 1]}", "when: {value: Title, at_least: 2}",
       "\"Title\" is text/plain, which has no order"},
      {"when: {value: Mood, is: [0, 1]}", "when: Title",
       "\"Title\" is text/plain, not JSON: compare it"},
  };
  for (const BadDecider& bad : kBad) {
    std::string yaml = kFilm;
    const size_t at = yaml.find(bad.from);
    ASSERT_NE(at, std::string::npos) << bad.from;
    yaml.replace(at, std::string(bad.from).size(), bad.to);
    EXPECT_THAT(
        ParseBlueprint("film.yaml", yaml),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(bad.message)))
        << bad.to;
  }
}

}  // namespace
}  // namespace kinora

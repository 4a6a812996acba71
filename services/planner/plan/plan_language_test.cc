// Plans of blueprints with offsets, nested dimensions, conditions and options
// of nodes: what runs, what is read, and what is left alone.

#include <string>
#include <vector>

#include "common/testing/status_matchers.h"
#include "services/planner/plan/make_plan.h"
#include "services/planner/plan/plan_world.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr char kFilm[] = R"(blueprint: film
inputs:
  Count: {type: integer, default: 2}
  Images: {type: integer, over: [segment], default: 1}
  Prompt: {type: text, over: [segment], default: ""}
  Music: {type: boolean, default: true}
  Show: {type: boolean, over: [segment], default: true}
dimensions:
  segment: {size: Input:Count}
  image: {within: segment, size: "Input:Images[segment]"}
nodes:
  Picture:
    producer: picture@>=1
    over: [segment, image]
    inputs: {prompt: "Input:Prompt[segment]"}
    outputs:
      Image: {type: text/plain, readable: "{segment:02}/image-{image}.txt"}
  Clip:
    producer: clip
    over: [segment]
    when: "Input:Show[segment]"
    limits: {max_attempts: 5}
    inputs:
      before: "Clip[segment-1]"
      images: {all: "Image[segment][image]"}
    outputs: {Clip: video/mp4}
  Music:
    producer: music
    when: Input:Music
    outputs: {Music: audio/wav}
  Film:
    producer: film
    inputs:
      clips: {all: "Clip[segment]"}
      pages: {all: "Image[segment][image]", group: segment}
      music: Music
    outputs: {Film: video/mp4}
outputs: [Film]
)";

const v1::PlannedJob& FindJob(const v1::Plan& plan, absl::string_view id) {
  static const v1::PlannedJob none;
  for (const v1::PlanLayer& layer : plan.layers()) {
    for (const v1::PlannedJob& job : layer.jobs()) {
      if (job.job_id() == id) return job;
    }
  }
  ADD_FAILURE() << "no job " << id;
  return none;
}

class PlanLanguageTest : public ::testing::Test {
 protected:
  // The film with `from` replaced by `to`.
  static std::string Film(const std::string& from, const std::string& to) {
    std::string yaml = kFilm;
    size_t at = yaml.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return yaml.replace(at, from.size(), to);
  }

  std::vector<std::string> Warnings() {
    const absl::StatusOr<MadePlan> made = world_.TryPlan();
    EXPECT_OK(made);
    return made.ok() ? made->warnings : std::vector<std::string>();
  }

  PlanWorld world_{kFilm};
};

// F: B-2
TEST_F(PlanLanguageTest, ChainRunsInOrderAndAChangeGoesDownIt) {
  world_.Set("Input:Count", "3");
  v1::Plan plan = world_.Plan();
  const v1::PlannedJob& first = FindJob(plan, "Clip[segment=0]");
  EXPECT_EQ(first.bindings(0).name(), "before");
  EXPECT_THAT(first.bindings(0).source_ids(), IsEmpty());
  EXPECT_THAT(FindJob(plan, "Clip[segment=2]").bindings(0).source_ids(),
              ElementsAre("Artifact:Clip[segment=1]"));
  EXPECT_EQ(plan.layers_size(), 5) << "picture, three clips, film";
  world_.Run(plan);
  EXPECT_THAT(JobIds(world_.Plan()), IsEmpty());

  world_.Set("Input:Prompt[segment=1]", "\"fog\"");
  EXPECT_THAT(JobIds(world_.Plan()),
              ElementsAre("Picture[segment=1][image=0]", "Clip[segment=1]",
                          "Clip[segment=2]", "Film"));
}

// F: B-2
TEST_F(PlanLanguageTest, NestedDimensionGrowsWhereItsInputSays) {
  world_.Run();
  world_.Set("Input:Images[segment=1]", "3");
  v1::Plan plan = world_.Plan();
  EXPECT_THAT(JobIds(plan), ElementsAre("Picture[segment=1][image=1]",
                                        "Picture[segment=1][image=2]",
                                        "Clip[segment=1]", "Film"));
  for (const v1::PlannedBinding& binding : FindJob(plan, "Film").bindings()) {
    EXPECT_EQ(binding.is_grouped(), binding.name() == "pages");
    if (!binding.is_grouped()) continue;
    EXPECT_THAT(binding.group_sizes(), ElementsAre(1, 3));
    EXPECT_EQ(binding.source_ids(3), "Artifact:Image[segment=1][image=2]");
  }
  world_.Run(plan);
  world_.Set("Input:Images[segment=1]", "0");
  EXPECT_THAT(world_.Plan().removed_artefact_ids(),
              UnorderedElementsAre("Artifact:Image[segment=1][image=0]",
                                   "Artifact:Image[segment=1][image=1]",
                                   "Artifact:Image[segment=1][image=2]"));
}

// The same images in other groups are other work.
TEST_F(PlanLanguageTest, GroupsArePartOfTheKey) {
  world_.constant = {{"Picture[segment=0][image=0]", "same"},
                     {"Picture[segment=0][image=1]", "same"},
                     {"Picture[segment=1][image=0]", "same"},
                     {"Picture[segment=1][image=1]", "same"}};
  world_.Set("Input:Show[segment=0]", "false");
  world_.Set("Input:Show[segment=1]", "false");
  world_.Set("Input:Images[segment=0]", "2");
  world_.Run();
  world_.Set("Input:Images[segment=0]", "1");
  world_.Set("Input:Images[segment=1]", "2");
  EXPECT_THAT(world_.Run(), ElementsAre("Picture[segment=1][image=1]", "Film"));
}

// What the blueprint has no place for is not inactive.
TEST_F(PlanLanguageTest, SaysWhatOfThatWhichLeavesIsInactive) {
  world_.Set("Input:Count", "6");
  world_.Run();
  for (int segment = 0; segment < 4; ++segment) {
    world_.Set(absl::StrCat("Input:Show[segment=", segment, "]"), "false");
  }
  world_.Set("Input:Count", "5");
  EXPECT_EQ(world_.Plan().summary().removed_artefacts(), 6);
  EXPECT_THAT(Warnings(),
              ElementsAre("Artifact:Clip[segment=0], Artifact:Clip[segment=1], "
                          "Artifact:Clip[segment=2] and 1 more are inactive "
                          "now: the condition of Clip switches them off"));
}

// F: B-2 (inactive)
TEST_F(PlanLanguageTest, InactiveJobsLeaveTheMovieAndComeBackUnpaid) {
  EXPECT_EQ(world_.Run().size(), 6u);
  world_.Set("Input:Music", "false");
  v1::Plan plan = world_.Plan();
  EXPECT_THAT(JobIds(plan), ElementsAre("Film"));
  EXPECT_THAT(plan.removed_artefact_ids(), ElementsAre("Artifact:Music"));
  EXPECT_EQ(plan.summary().inactive_jobs(), 1);
  EXPECT_EQ(plan.summary().total_jobs(), 5);
  EXPECT_EQ(plan.summary().clean_jobs(), 4);
  EXPECT_THAT(Warnings(), ElementsAre("Artifact:Music is inactive now: the "
                                      "condition of Music switches it off"));
  for (const v1::PlannedBinding& binding : FindJob(plan, "Film").bindings()) {
    EXPECT_EQ(binding.source_ids().empty(), binding.name() == "music");
  }
  world_.Run(plan);
  EXPECT_THAT(JobIds(world_.Plan()), IsEmpty());
  world_.Set("Input:Music", "true");
  plan = world_.Plan();
  EXPECT_THAT(JobIds(plan), IsEmpty()) << "music and film come from the log";
  EXPECT_EQ(plan.summary().reused_jobs(), 2);
}

// F: B-2 (inactive)
TEST_F(PlanLanguageTest, ConditionHoldsForEachJob) {
  world_.Set("Input:Count", "3");
  world_.Set("Input:Show[segment=1]", "false");
  v1::Plan plan = world_.Plan();
  EXPECT_THAT(
      FindJob(plan, "Film").bindings(0).source_ids(),
      ElementsAre("Artifact:Clip[segment=0]", "Artifact:Clip[segment=2]"));
  EXPECT_THAT(FindJob(plan, "Clip[segment=2]").bindings(0).source_ids(),
              IsEmpty());
}

TEST_F(PlanLanguageTest, InputThatDecidesMustBeThere) {
  world_.SetBlueprint(
      Film("Music: {type: boolean, default: true}", "Music: {type: boolean}"));
  EXPECT_THAT(world_.TryPlan(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("Input:Music"),
                             HasSubstr("whether jobs are active"))));
}

// F: B-7
TEST_F(PlanLanguageTest, SaltRunsAnewAndLimitsDoNot) {
  world_.Run();
  world_.SetBlueprint(
      Film("max_attempts: 5", "max_attempts: 6, job_timeout_seconds: 60"));
  v1::Plan plan = world_.Plan();
  EXPECT_THAT(JobIds(plan), IsEmpty());

  world_.SetBlueprint(
      Film("limits: {", "salt: more\n    limits: {job_timeout_seconds: 60, "));
  plan = world_.Plan();
  EXPECT_THAT(JobIds(plan),
              ElementsAre("Clip[segment=0]", "Clip[segment=1]", "Film"));
  EXPECT_EQ(FindJob(plan, "Clip[segment=0]").reason().text(),
            "salt or leaves changed");
  for (const v1::PlannedNode& node : plan.nodes()) {
    if (node.node() != "Clip") continue;
    EXPECT_EQ(node.limits().max_attempts(), 5u);
    EXPECT_EQ(node.limits().job_timeout_seconds(), 60u);
    EXPECT_EQ(node.salt(), "more");
  }
  world_.Run(plan);
  EXPECT_THAT(JobIds(world_.Plan()), IsEmpty());
}

// F: B-4 Nothing that it read changed, but what there is to read.
TEST_F(PlanLanguageTest, SizesAndConditionsAreReasons) {
  world_.Run();
  world_.Set("Input:Music", "false");
  EXPECT_EQ(FindJob(world_.Plan(), "Film").reason().text(),
            "what it reads follows from: Input:Music");
  EXPECT_EQ(FindJob(world_.Plan(), "Film").reason().kind(),
            v1::REASON_KIND_WIRING_CHANGED);
  world_.Set("Input:Music", "true");
  world_.Set("Input:Count", "1");
  EXPECT_EQ(FindJob(world_.Plan(), "Film").reason().text(),
            "what it reads follows from: Input:Count");
  world_.Set("Input:Count", "2");
  world_.Set("Input:Show[segment=1]", "false");
  EXPECT_EQ(FindJob(world_.Plan(), "Film").reason().text(),
            "what it reads follows from: Input:Show[segment=1]");
}

// F: S1-31 The order in a layer is the order of a queue.
TEST_F(PlanLanguageTest, NodesOfAHigherPriorityComeFirst) {
  EXPECT_EQ(world_.Plan().layers(0).jobs(0).node(), "Picture");
  world_.SetBlueprint(
      Film("producer: music", "producer: music\n    limits: {priority: 3}"));
  const v1::Plan plan = world_.Plan();
  EXPECT_EQ(plan.layers(0).jobs(0).job_id(), "Music");
  EXPECT_EQ(plan.layers(0).jobs(1).job_id(), "Picture[segment=0][image=0]");
}

TEST_F(PlanLanguageTest, ReadablePathsFollowTheirTemplate) {
  v1::Plan plan = world_.Plan();
  EXPECT_EQ(
      FindJob(plan, "Picture[segment=1][image=0]").artefacts(0).readable_path(),
      "01/image-0.txt");
  world_.Run(plan);
  world_.SetBlueprint(Film("{segment:02}", "{segment}"));
  EXPECT_THAT(JobIds(world_.Plan()), IsEmpty());
}

// F: B-3
TEST_F(PlanLanguageTest, LeavesAreMadeWithWhatTheyAreAPartOf) {
  PlanWorld world(R"(blueprint: leaves
dimensions: {segment: {size: 2}, shot: {size: 2}}
nodes:
  Director:
    producer: director
    over: [segment]
    outputs:
      Plan:
        type: application/json
        leaves:
          Prompt: {at: "/shots/{shot}/{segment}", over: [shot]}
          Mood: /mood
  Shot:
    producer: shot
    over: [segment, shot]
    inputs: {prompt: "Prompt[segment][shot]"}
    outputs: {Shot: video/mp4}
)");
  v1::Plan plan = world.Plan();
  const v1::PlannedJob& job = FindJob(plan, "Director[segment=1]");
  ASSERT_EQ(job.artefacts_size(), 4);
  EXPECT_EQ(job.artefacts(0).leaf_of(), "");
  const v1::PlannedArtefact& leaf = job.artefacts(2);
  EXPECT_EQ(leaf.artefact_id(), "Artifact:Prompt[segment=1][shot=1]");
  EXPECT_EQ(leaf.leaf_of(), "Artifact:Plan[segment=1]");
  EXPECT_EQ(leaf.json_pointer(), "/shots/1/1");
  world.Run(plan);
  EXPECT_THAT(JobIds(world.Plan()), IsEmpty());
}

// An edit of a document's file reaches the document alone.
TEST_F(PlanLanguageTest, LeavesThatAnEditDidNotReachAreWarnedOf) {
  PlanWorld world(R"(blueprint: leaves
nodes:
  Director:
    producer: director
    outputs:
      Plan: {type: application/json, leaves: {Title: /title, Mood: /mood}}
  Card: {producer: card, inputs: {title: Title}, outputs: {Card: image/png}}
)");
  world.constant["Director"] = "1";
  world.Run();
  auto warnings = [&world] {
    absl::StatusOr<MadePlan> made = world.TryPlan();
    EXPECT_OK(made);
    return made->warnings;
  };
  EXPECT_THAT(warnings(), IsEmpty());
  world.EditByHand("Artifact:Plan", R"({"title":2,"mood":1})");
  EXPECT_THAT(
      warnings(),
      ElementsAre("Artifact:Plan was edited by hand without its leaves: "
                  "Artifact:Title are as before; kinora artefact restore film "
                  "'Artifact:Plan' --to 5 takes them along"));
  EXPECT_THAT(JobIds(world.Plan()), IsEmpty());
  world.EditByHand("Artifact:Plan", R"({"title":2})");
  EXPECT_THAT(warnings(),
              ElementsAre(HasSubstr("Artifact:Plan has nothing at /mood")));
  world.EditByHand("Artifact:Plan", R"({"title":2,"mood":1})");
  world.EditByHand("Artifact:Title", "2");
  EXPECT_THAT(warnings(), IsEmpty());
  EXPECT_THAT(JobIds(world.Plan()), ElementsAre("Card"));
  // A leaf that is edited alone is meant to differ.
  world.EditByHand("Artifact:Mood", "9");
  EXPECT_THAT(warnings(), IsEmpty());
}

TEST_F(PlanLanguageTest, ProducerOfAnotherVersionIsRefused) {
  world_.versions["picture"] = "0.9";
  EXPECT_THAT(
      world_.TryPlan(),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               AllOf(HasSubstr("line 13: nodes.Picture.producer"),
                     HasSubstr("\">=1\""), HasSubstr("version \"0.9\""))));
  world_.versions["picture"] = "1.4";
  EXPECT_OK(world_.TryPlan());
}

}  // namespace
}  // namespace kinora

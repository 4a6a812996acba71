// Scopes of plans in which all that a control names is still to come, or a list
// comes out empty.

#include <string>

#include "common/testing/status_matchers.h"
#include "services/planner/plan/plan_world.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kFilm[] = R"(blueprint: film
inputs:
  Story: {type: text, default: a whale}
  Style: {type: text, default: dark}
dimensions:
  shot: {size: Shots}
nodes:
  Board: {producer: board, inputs: {story: Input:Story}, outputs: {Shots: application/json}}
  Picture: {producer: picture, over: [shot], inputs: {style: Input:Style}, outputs: {Image: text/plain}}
  Film: {producer: film, inputs: {images: {all: "Image[shot]"}}, outputs: {Film: text/plain}}
)";

// F: B-5
class ListScopeTest : public ::testing::Test {
 protected:
  ListScopeTest() : world_(kFilm) { world_.constant["Board"] = "[0]"; }

  v1::PlanScope& scope() { return world_.scope; }

  PlanWorld world_;
};

TEST_F(ListScopeTest, APinHoldsThoughAllThatItNamesIsToCome) {
  world_.Run();
  world_.Set("Input:Story", "\"a shark\"");
  world_.Set("Input:Style", "\"light\"");
  for (const char* pinned : {"Image[shot=0]", "Image"}) {
    SCOPED_TRACE(pinned);
    PlanWorld world = world_;
    world.scope.add_pin(pinned);
    const v1::Plan plan = world.Plan();
    EXPECT_THAT(plan.scope().pin(),
                ElementsAre(std::string("Artifact:") + pinned));
    EXPECT_THAT(world.Run(plan), ElementsAre("Board"));
    world.scope.Clear();
    EXPECT_THAT(world.Run(), ElementsAre("Picture[shot=0]", "Film"));
  }
}

// What decides would be paid for first.
TEST_F(ListScopeTest, APinOfWhatIsToComeAndHasNoValueIsRefused) {
  for (const char* pinned : {"Image[shot=0]", "Image", "Film"}) {
    scope().Clear();
    scope().add_pin(pinned);
    EXPECT_THAT(world_.TryPlan().status(),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("scope.pin"),
                               HasSubstr(std::string("Artifact:") + pinned),
                               HasSubstr("no value that could be kept"))));
  }
}

TEST_F(ListScopeTest, APinnedNameKeepsWhatThereIsAndTheRestIsMade) {
  world_.Run();
  world_.Set("Input:Story", "\"a shark\"");
  world_.Set("Input:Style", "\"light\"");
  world_.constant["Board"] = "[0,1]";
  scope().add_pin("Image[shot=1]");
  EXPECT_THAT(world_.TryPlan().status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("no value that could be kept")));
  scope().set_pin(0, "Image");
  EXPECT_THAT(world_.Run(), ElementsAre("Board", "Picture[shot=1]", "Film"));
}

TEST_F(ListScopeTest, ARegenerationHoldsThoughAllThatItNamesIsToCome) {
  world_.Run();
  world_.Set("Input:Story", "\"a shark\"");
  scope().add_regenerate("Image");
  const v1::Plan plan = world_.Plan();
  EXPECT_THAT(plan.scope().regenerate(), ElementsAre("Artifact:Image"));
  EXPECT_THAT(world_.Run(plan), ElementsAre("Board", "Picture[shot=0]"));
}

// What decided about it has been paid for, and nothing is left to make anew.
TEST_F(ListScopeTest, ARegenerationOfWhatDoesNotComeIsNoneAndFailsNoRun) {
  world_.Run();
  world_.constant["Board"] = "[]";
  world_.Set("Input:Story", "\"a shark\"");
  scope().add_regenerate("Image[shot=0]");
  EXPECT_THAT(world_.Run(), ElementsAre("Board", "Film"));
  EXPECT_OK(world_.refusal);
}

// A job makes all of its artefacts or none: one that has to make some is not
// kept for the sake of the others, but one artefact that was named is.
TEST_F(ListScopeTest, APinnedNameDoesNotKeepAJobThatHasMoreToMake) {
  PlanWorld world(R"(blueprint: film
inputs: {Story: {type: text, default: a whale}, Style: {type: text, default: dark}}
dimensions: {shot: {size: Shots}}
nodes:
  Board: {producer: board, inputs: {story: Input:Story}, outputs: {Shots: application/json}}
  Pictures: {producer: picture, inputs: {style: Input:Style}, outputs: {Image: {type: text/plain, over: [shot]}}}
)");
  world.constant["Board"] = "[0]";
  world.Run();
  world.Set("Input:Story", "\"a shark\"");
  world.Set("Input:Style", "\"light\"");
  world.constant["Board"] = "[0,1]";
  PlanWorld by_id = world;
  world.scope.add_pin("Image");
  EXPECT_THAT(world.Run(), ElementsAre("Board", "Pictures"));
  EXPECT_OK(world.refusal);
  by_id.scope.add_pin("Image[shot=0]");
  by_id.Run();
  EXPECT_THAT(by_id.refusal,
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("scope.pin"),
                             HasSubstr("Artifact:Image[shot=1]"))));
}

// That there were none was decided, too.
TEST_F(ListScopeTest, ANameThatStoodForNothingIsMadeWithWhatDecidesAboutIt) {
  world_.constant["Board"] = "[]";
  EXPECT_THAT(world_.Run(), ElementsAre("Board", "Film"));
  world_.constant["Board"] = "[0]";
  world_.Set("Input:Story", "\"a shark\"");
  scope().add_only("Image");
  EXPECT_THAT(JobIds(world_.Plan()), ElementsAre("Board"));
  EXPECT_THAT(world_.Run(), ElementsAre("Board", "Picture[shot=0]"));
  scope().Clear();
  EXPECT_THAT(world_.Run(), ElementsAre("Film"));
}

TEST_F(ListScopeTest, ATargetOfWhichNoneComesLeavesNothingToMake) {
  world_.constant["Board"] = "[]";
  scope().add_only("Image");
  EXPECT_THAT(world_.Run(), ElementsAre("Board"));
  ASSERT_OK_AND_ASSIGN(const MadePlan made, world_.TryPlan());
  EXPECT_THAT(JobIds(made.plan), IsEmpty());
  EXPECT_THAT(made.plan.scope().only(), ElementsAre("Artifact:Image"));
  EXPECT_THAT(made.warnings,
              ElementsAre("scope.only: there is no Artifact:Image at these "
                          "inputs: a condition switches it off, or a dimension "
                          "is empty"));
  scope().Clear();
  EXPECT_THAT(world_.Run(), ElementsAre("Film"));
}

// It goes on meaning all that there are.
TEST_F(ListScopeTest, ANameStaysANameInThePlan) {
  world_.Run();
  scope().add_only("Image");
  EXPECT_THAT(world_.Plan().scope().only(), ElementsAre("Artifact:Image"));
}

TEST_F(ListScopeTest, TheLineageOfNothingIsMadeAnew) {
  world_.constant["Board"] = "[]";
  world_.Run();
  world_.constant["Board"] = "[0]";
  scope().add_regenerate("Image");
  scope().set_with_lineage(true);
  EXPECT_THAT(world_.Run(), ElementsAre("Board", "Picture[shot=0]", "Film"));
}

}  // namespace
}  // namespace kinora

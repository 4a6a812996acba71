// What two controls of a scope mean together: a test for each row of the table
// in docs/planning.md that is not in plan_scope_test.cc.

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/planner/plan/scoped_film.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using ScopePairsTest = ScopedFilmTest;

// F: B-5 (controls out of scope are warnings)
TEST_F(ScopePairsTest, ControlsThatChangeNothingAreWarnedOf) {
  world_.Run();
  scope().add_pin("Song");
  EXPECT_THAT(Warnings(),
              ElementsAre("scope.pin: Artifact:Song would be kept without a "
                          "pin: it is clean"));
}

TEST_F(ScopePairsTest, OnlyWithRegenerateOutOfItsReachIsWarnedOf) {
  world_.Run();
  scope().add_only("Song");
  scope().add_regenerate("Image[segment=0]");
  EXPECT_THAT(
      Warnings(),
      ElementsAre("scope.regenerate: Artifact:Image[segment=0] is not made "
                  "anew: scope.only asks for nothing that is made from it"));
  scope().add_only("Video[segment=0]");
  EXPECT_THAT(Warnings(), IsEmpty());
  EXPECT_THAT(JobIds(world_.Plan()),
              ElementsAre("Picture[segment=0]", "Clip[segment=0]"));
}

TEST_F(ScopePairsTest, OnlyWithLineageMakesAnewWhatTheTargetsAreMadeFrom) {
  world_.Run();
  scope().add_only("Image[segment=1]");
  scope().add_regenerate("Image[segment=0]");
  scope().set_with_lineage(true);
  EXPECT_THAT(Forced(world_.Plan()), ElementsAre("Script"));
  EXPECT_THAT(Warnings(), ElementsAre(HasSubstr("Artifact:Image[segment=0]")));
  scope().set_only(0, "Video[segment=0]");
  EXPECT_THAT(Forced(world_.Plan()),
              ElementsAre("Script", "Picture[segment=0]"));
  EXPECT_THAT(Warnings(), IsEmpty());
}

// F: B-5 (contradictions are errors)
TEST_F(ScopePairsTest, OnlyWithAPinnedTargetIsRefusedUnlessItIsClean) {
  world_.Run();
  scope().add_only("Image");
  scope().add_pin("Image[segment=0]");
  EXPECT_THAT(Warnings(), ElementsAre(HasSubstr("it is clean")));
  world_.Set("Input:Style", "\"light\"");
  EXPECT_THAT(Refusal(),
              AllOf(HasSubstr("scope.pin: Artifact:Image[segment=0]"),
                    HasSubstr("scope.only asks to make Artifact:Image")));
  EXPECT_EQ(ReasonOf(world_.TryPlan().status()), "SCOPE_CONTRADICTION");
  // What a target is made from may be kept, and what is out of reach is.
  scope().set_only(0, "Video[segment=0]");
  EXPECT_THAT(JobIds(world_.Plan()), IsEmpty());
  EXPECT_THAT(Warnings(), IsEmpty());
  scope().set_only(0, "Video[segment=1]");
  EXPECT_THAT(Warnings(),
              ElementsAre("scope.pin: Artifact:Image[segment=0] would be kept "
                          "without a pin: scope.only asks for nothing that is "
                          "made from it"));
}

TEST_F(ScopePairsTest, OnlyWithTooFewLayersIsWarnedOf) {
  scope().add_only("Video");
  scope().set_up_to_layer(2);
  EXPECT_EQ(JobIds(world_.Plan()).size(), 4u);
  EXPECT_THAT(Warnings(),
              ElementsAre("scope.only: Artifact:Video is not made: it comes in "
                          "layer 3, and scope.up_to_layer is 2"));
  scope().set_up_to_layer(3);
  EXPECT_THAT(Warnings(), IsEmpty());
}

// F: B-5 (contradictions are errors)
TEST_F(ScopePairsTest, OnlyWithATargetBeforeTheIndexIsRefused) {
  scope().add_only("Video[segment=0]");
  From(1);
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("scope.only: Artifact:Video"),
                               HasSubstr("before segment=1 alone")));
  EXPECT_EQ(ReasonOf(world_.TryPlan().status()), "SCOPE_CONTRADICTION");
  scope().set_only(0, "Video");  // some of them
  EXPECT_EQ(JobIds(world_.Plan()).size(), 5u);
  scope().set_only(0, "Text[segment=0]");  // its job has no index
  EXPECT_THAT(JobIds(world_.Plan()), ElementsAre("Script"));
}

TEST_F(ScopePairsTest, RegenerateBeforeTheIndexIsWarnedOf) {
  world_.Run();
  scope().add_regenerate("Image[segment=0]");
  From(1);
  EXPECT_THAT(Warnings(),
              ElementsAre("scope.regenerate: Artifact:Image[segment=0] is not "
                          "made anew: scope.from_index leaves what is before "
                          "segment=1 alone"));
  EXPECT_THAT(JobIds(world_.Plan()), IsEmpty());
  scope().set_regenerate(0, "Image");  // some of them
  EXPECT_THAT(Warnings(), IsEmpty());
  EXPECT_THAT(Forced(world_.Plan()),
              ElementsAre("Picture[segment=1]", "Picture[segment=2]"));
}

TEST_F(ScopePairsTest, LineageBeforeTheIndexIsWarnedOf) {
  world_.Run();
  scope().add_regenerate("Film");
  scope().set_with_lineage(true);
  From(2);
  EXPECT_THAT(
      Warnings(),
      ElementsAre("scope.with_lineage: 4 jobs of the lineage left as they are, "
                  "such as that of Artifact:Image[segment=0]: scope.from_index "
                  "leaves what is before segment=2 alone"));
  EXPECT_EQ(Forced(world_.Plan()).size(), 5u);
}

TEST_F(ScopePairsTest, PinThatTheRestLeavesAnywayIsWarnedOf) {
  ChangeAll();
  scope().add_pin("Video[segment=0]");
  EXPECT_THAT(Warnings(), IsEmpty());
  scope().set_up_to_layer(2);
  EXPECT_THAT(Warnings(),
              ElementsAre("scope.pin: Artifact:Video[segment=0] would be kept "
                          "without a pin: it comes in layer 3, and "
                          "scope.up_to_layer is 2"));
  scope().set_up_to_layer(0);
  From(1);
  EXPECT_THAT(Warnings(), ElementsAre(HasSubstr("before segment=1 alone")));
}

TEST_F(ScopePairsTest, LayersAreCountedFromTheIndexOn) {
  ChangeAll();
  From(2);
  scope().set_up_to_layer(3);
  EXPECT_THAT(
      JobIds(world_.Plan()),
      ElementsAre("Script", "Music", "Picture[segment=2]", "Clip[segment=2]"));
}

}  // namespace
}  // namespace kinora

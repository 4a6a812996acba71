// Scopes: what a plan is narrowed or widened to.

#include "common/content.h"
#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/planner/plan/scoped_film.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using PlanScopeTest = ScopedFilmTest;

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
  PlanWorld world(kScopedFilm);
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
  EXPECT_THAT(Forced(plan),
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

// F: B-5 (up to this layer)
TEST_F(PlanScopeTest, LayersAreThoseOfAPlanWithoutTheLimit) {
  ChangeAll();
  std::vector<v1::PlanScope> scopes(7);
  scopes[1].add_regenerate("Film");
  scopes[2].add_regenerate("Film");
  scopes[2].set_with_lineage(true);
  scopes[3].add_only("Video[segment=1]");
  scopes[4].add_pin("Image[segment=1]");
  scopes[5].add_pin("Text");
  scopes[5].add_regenerate("Video[segment=2]");
  scopes[6].add_from_index()->set_dimension("segment");
  scopes[6].mutable_from_index(0)->set_index(2);
  for (const v1::PlanScope& whole_scope : scopes) {
    SCOPED_TRACE(whole_scope.ShortDebugString());
    scope() = whole_scope;
    const v1::Plan whole = world_.Plan();
    ASSERT_GT(whole.layers_size(), 1);
    for (int most = 1; most <= whole.layers_size(); ++most) {
      scope().set_up_to_layer(static_cast<uint32_t>(most));
      const v1::Plan part = world_.Plan();
      ASSERT_EQ(part.layers_size(), most);
      int64_t left = whole.summary().left_jobs();
      for (int layer = 0; layer < whole.layers_size(); ++layer) {
        if (layer >= most) {
          left += whole.layers(layer).jobs_size();
          continue;
        }
        std::vector<std::string> ids;
        for (const v1::PlannedJob& job : whole.layers(layer).jobs()) {
          ids.push_back(job.job_id());
        }
        std::vector<std::string> in_part;
        for (const v1::PlannedJob& job : part.layers(layer).jobs()) {
          in_part.push_back(job.job_id());
        }
        EXPECT_EQ(in_part, ids) << layer;
      }
      EXPECT_EQ(part.summary().left_jobs(), left);
    }
  }
}

// What the limit leaves is old, so what reads it waits, too.
TEST_F(PlanScopeTest, NothingIsMadeAnewFromWhatComesAfterTheLastLayer) {
  ChangeAll();
  scope().add_regenerate("Film");
  scope().set_up_to_layer(2);
  EXPECT_THAT(JobIds(world_.Plan()),
              ElementsAre("Script", "Music", "Picture[segment=0]",
                          "Picture[segment=1]", "Picture[segment=2]"));
  EXPECT_THAT(Warnings(),
              ElementsAre("scope.regenerate: Artifact:Film is not made anew: "
                          "it comes in layer 4, and scope.up_to_layer is 2"));
  scope().set_with_lineage(true);
  EXPECT_EQ(JobIds(world_.Plan()).size(), 5u);
  EXPECT_THAT(Warnings(), ElementsAre(HasSubstr("Film is not made anew")));
  // All else is clean, so it is in the first layer, as without the limit.
  world_.scope.Clear();
  world_.Run();
  scope().add_regenerate("Film");
  scope().set_up_to_layer(1);
  EXPECT_THAT(JobIds(world_.Plan()), ElementsAre("Film"));
  EXPECT_THAT(Warnings(), IsEmpty());
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
  EXPECT_THAT(Refusal(),
              HasSubstr("there is no such artefact: segment has 3 elements, "
                        "counted from 0"));
  scope().set_regenerate(0, "Image[segmet=0]");
  EXPECT_THAT(Refusal(),
              HasSubstr("Image has the dimensions [segment], in this order, as "
                        "in Image[segment=0]; did you mean \"segment\"?"));
  scope().set_regenerate(0, "Image[0]");
  EXPECT_THAT(Refusal(), HasSubstr("; Image has the dimensions [segment]"));
  scope().set_regenerate(0, "Song[segment=0]");
  EXPECT_THAT(Refusal(), HasSubstr("Song has no dimensions, so no indices"));
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
  EXPECT_THAT(Refusal(),
              AllOf(HasSubstr("segment=3"),
                    HasSubstr("segment has 3 elements, counted from 0")));
  scope().Clear();
  From(1);
  From(2);
  EXPECT_THAT(Refusal(), HasSubstr("the dimension is given twice"));
}

}  // namespace
}  // namespace kinora

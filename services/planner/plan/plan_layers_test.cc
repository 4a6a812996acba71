// Layers of random films, after random edits: each job that is to run stands
// once, in the layer after the last one that makes what it reads.

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"

#include "common/random.h"
#include "common/testing/status_matchers.h"
#include "services/planner/plan/plan_world.h"
#include "services/planner/plan/random_film.h"

namespace kinora {
namespace {

class PlanLayersTest : public ::testing::TestWithParam<int> {};

// Jobs of which what they read is made by no job of the plan are in the first
// layer, so what is clean takes part in none.
void ExpectTightLayers(const v1::Plan& plan) {
  std::map<std::string, int> made_in;  // artefact id -> layer
  std::set<std::string> jobs;
  for (int layer = 0; layer < plan.layers_size(); ++layer) {
    EXPECT_GT(plan.layers(layer).jobs_size(), 0) << layer;
    for (const v1::PlannedJob& job : plan.layers(layer).jobs()) {
      EXPECT_TRUE(jobs.insert(job.job_id()).second) << job.job_id();
      for (const v1::PlannedArtefact& artefact : job.artefacts()) {
        made_in[artefact.artefact_id()] = layer;
      }
    }
  }
  for (const v1::ReusedJob& job : plan.reused()) {
    EXPECT_TRUE(jobs.insert(job.job_id()).second) << job.job_id();
  }
  for (int layer = 0; layer < plan.layers_size(); ++layer) {
    for (const v1::PlannedJob& job : plan.layers(layer).jobs()) {
      int after = -1;
      for (const v1::PlannedBinding& binding : job.bindings()) {
        for (const std::string& source : binding.source_ids()) {
          const auto made = made_in.find(source);
          if (made != made_in.end()) after = std::max(after, made->second);
        }
      }
      EXPECT_EQ(layer, after + 1) << job.job_id();
    }
  }
}

// F: S1-27, S1-29
TEST_P(PlanLayersTest, EachJobIsOneLayerAfterWhatItReads) {
  SeededRandom random(GetParam() + 4000);
  RandomFilm film(random, {.parts = GetParam() % 2 == 1});
  PlanWorld world(film.Yaml());
  world.versions = {{"p0", "1"}, {"p1", "1"}};
  for (int round = 0; round < 12; ++round) {
    world.Set("Input:Text", absl::StrCat("\"", UniformBelow(random, 3), "\""));
    world.Set("Input:A", absl::StrCat(1 + UniformBelow(random, 3)));
    world.Set("Input:C[a=0]", absl::StrCat(UniformBelow(random, 3)));
    if (UniformBelow(random, 2) == 0) {
      film.ChangeSetting();
      world.SetBlueprint(film.Yaml());
    }
    // What fails leaves plans that begin in the middle.
    world.failing.clear();
    if (UniformBelow(random, 2) == 0) world.failing.insert(film.AnyNode());
    const v1::Plan plan = world.Plan();
    ExpectTightLayers(plan);
    ASSERT_FALSE(HasFailure()) << film.Yaml();
    world.Run(plan);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, PlanLayersTest, ::testing::Range(0, 16));

}  // namespace
}  // namespace kinora

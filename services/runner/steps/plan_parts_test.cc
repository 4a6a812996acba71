#include "services/runner/steps/plan_parts.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

void AddJob(v1::Plan* plan, int layer, const std::string& id,
            const std::vector<std::string>& reads) {
  while (plan->layers_size() <= layer) plan->add_layers();
  v1::PlannedJob* job = plan->mutable_layers(layer)->add_jobs();
  job->set_job_id(id);
  job->set_node(id);
  plan->add_nodes()->set_node(id);
  v1::PlannedBinding* binding = job->add_bindings();
  binding->set_name("in");
  for (const std::string& source : reads) binding->add_source_ids(source);
  job->add_artefacts()->set_artefact_id("Artifact:" + id);
}

// Input:X -> A -> C -> D, and B beside A; D reads B, too, and R, which is
// reused.
PlanParts Diamond() {
  auto plan = std::make_shared<v1::Plan>();
  plan->set_movie_id("film");
  v1::PlannedInput* input = plan->add_inputs();
  input->set_input_id("Input:X");
  input->mutable_content()->mutable_inline_()->set_data("x");
  v1::ReusedJob* reused = plan->add_reused();
  reused->set_job_id("R");
  v1::ReusedArtefact* artefact = reused->add_artefacts();
  artefact->set_artefact_id("Artifact:R");
  artefact->mutable_content()->mutable_inline_()->set_data("r");
  AddJob(plan.get(), 0, "A", {"Input:X"});
  AddJob(plan.get(), 0, "B", {"Input:X"});
  AddJob(plan.get(), 1, "C", {"Artifact:A"});
  AddJob(plan.get(), 2, "D", {"Artifact:C", "Artifact:B", "Artifact:R"});
  return PlanParts(plan);
}

std::vector<std::string> JobsOf(const v1::Plan& plan, int layer) {
  std::vector<std::string> ids;
  for (const v1::PlannedJob& job : plan.layers(layer).jobs()) {
    ids.push_back(job.job_id());
  }
  return ids;
}

std::map<std::string, std::string> SourcesOf(const v1::Plan& plan) {
  std::map<std::string, std::string> sources;
  for (const v1::PlannedSource& source : plan.sources()) {
    sources[source.artefact_id()] = source.content().inline_().data();
  }
  return sources;
}

TEST(PlanPartsTest, FindsJobsOfLayersAndKnowsReusedOnes) {
  const PlanParts parts = Diamond();
  ASSERT_NE(parts.Find("C"), nullptr);
  EXPECT_EQ(parts.Find("C")->job_id(), "C");
  EXPECT_EQ(parts.Find("R"), nullptr);
  EXPECT_TRUE(parts.IsReused("R"));
  EXPECT_FALSE(parts.IsReused("C"));
  EXPECT_EQ(parts.Reuse()->reused_size(), 1);
  EXPECT_EQ(parts.Reuse()->layers_size(), 0);
}

TEST(PlanPartsTest, UpstreamIsAllThatAJobIsMadeFromWithoutItself) {
  const PlanParts parts = Diamond();
  const auto upstream = parts.Upstream({parts.Find("D")});
  ASSERT_EQ(upstream->layers_size(), 2);
  EXPECT_THAT(JobsOf(*upstream, 0), UnorderedElementsAre("A", "B"));
  EXPECT_THAT(JobsOf(*upstream, 1), ElementsAre("C"));
  EXPECT_EQ(SourcesOf(*upstream),
            (std::map<std::string, std::string>{{"Input:X", "x"}}));
  EXPECT_EQ(parts.Upstream({parts.Find("A")})->layers_size(), 0);
}

TEST(PlanPartsTest, JobsAloneHaveTheValuesOfAllTheyRead) {
  const PlanParts parts = Diamond();
  EXPECT_THAT(parts.MadeInputs(*parts.Find("A")), IsEmpty());
  EXPECT_THAT(parts.MadeInputs(*parts.Find("D")),
              ElementsAre("Artifact:C", "Artifact:B"));
  std::map<std::string, v1::Content> made;
  made["Artifact:C"].mutable_inline_()->set_data("c");
  made["Artifact:B"].mutable_inline_()->set_data("b");
  const auto alone = parts.Alone({parts.Find("D")}, made);
  EXPECT_THAT(JobsOf(*alone, 0), ElementsAre("D"));
  ASSERT_EQ(alone->nodes_size(), 1);
  EXPECT_EQ(alone->nodes(0).node(), "D");
  EXPECT_EQ(
      SourcesOf(*alone),
      (std::map<std::string, std::string>{
          {"Artifact:B", "b"}, {"Artifact:C", "c"}, {"Artifact:R", "r"}}));
  EXPECT_EQ(alone->reused_size(), 0);
  EXPECT_EQ(alone->movie_id(), "film");
}

}  // namespace
}  // namespace kinora

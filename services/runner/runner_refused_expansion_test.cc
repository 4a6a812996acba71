// A plan that cannot be expanded fails its run, though not before all is known
// of what was under way. Producers are held by the test.

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/cost_text.h"
#include "common/testing/status_matchers.h"
#include "common/threads/thread_pool.h"
#include "services/runner/testing/held_runner_fixture.h"

namespace kinora {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// As many clips as the script has scenes, and a score beside them.
constexpr char kScenesAndScore[] = R"(
blueprint: scenes
dimensions:
  segment: {size: Scenes}
nodes:
  Script:
    producer: sim
    outputs: {Scenes: application/json}
  Score:
    producer: sim
    outputs: {Score: text/plain}
  Clip:
    producer: sim
    over: [segment]
    inputs: {scenes: Scenes}
    outputs: {Clip: text/plain}
  Film:
    producer: sim
    inputs: {clips: {all: "Clip[segment]"}, score: Score}
    outputs: {Film: text/plain}
outputs: [Film]
)";

class RunnerRefusedExpansionTest : public HeldRunnerFixture {
 protected:
  RunnerRefusedExpansionTest() { CarryOn(store(), executor_); }
  ~RunnerRefusedExpansionTest() override { carrier_.reset(); }

  ThreadPool executor_{"runner", 4};
};

// F: Invariant 14
TEST_F(RunnerRefusedExpansionTest, WhatOtherJobsHaveCostIsInTheLedger) {
  const v1::Cost cent = ParseCostText("USD 0.01").value_or(v1::Cost());
  producers_.ChargeCancelled(cent);
  const std::string run_id = StartRun(kScenesAndScore);
  producers_.WaitForAttempt("Score");
  producers_.WaitForAttempt("Script");
  producers_.Succeed("Script");  // with a text
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_FAILED);
  EXPECT_THAT(run.record().error(),
              HasSubstr("expand the plan by Artifact:Scenes"));
  EXPECT_EQ(FormatCost(run.record().cost()), "0.01 USD");
  EXPECT_THAT(Jobs(run), Contains(HasSubstr("Score cancelled")));
  EXPECT_TRUE(Ledger(run_id).back().has_run_failed());
}

}  // namespace
}  // namespace kinora

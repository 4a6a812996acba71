#include "services/runner/steps/stepwise_run.h"

#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/telemetry/trace_context.h"
#include "kinora/v1/plan.pb.h"
#include "services/runner/steps/step_call.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::shared_ptr<StepCall> CallFor(const std::string& job_id) {
  StepRequest request;
  request.job_id = job_id;
  return std::make_shared<StepCall>(std::move(request), TraceContext(),
                                    nullptr);
}

class StepwiseRunTest : public ::testing::Test {
 protected:
  StepwiseRun run_{"run", "hash", std::make_shared<v1::Plan>()};
};

TEST_F(StepwiseRunTest, WhoWaitsForAJobIsToldWhenItIsFree) {
  const auto first = CallFor("A");
  const auto second = CallFor("A");
  EXPECT_TRUE(run_.Claim({"A", "B"}, first));
  EXPECT_TRUE(run_.Claim({"C"}, first));
  EXPECT_FALSE(run_.Claim({"A"}, second));
  EXPECT_TRUE(second->EndWait());
  EXPECT_THAT(run_.Release({"A", "B"}), ElementsAre(second));
  EXPECT_TRUE(run_.Claim({"A"}, second));
}

TEST_F(StepwiseRunTest, WhoWaitsForAJobThatIsDoneIsToldOnce) {
  const auto quick = CallFor("Quick");
  const auto slow = CallFor("Slow");
  EXPECT_TRUE(run_.Claim({"Quick", "Slow"}, CallFor("")));
  EXPECT_FALSE(run_.Claim({"Quick"}, quick));
  EXPECT_FALSE(run_.Claim({"Slow"}, slow));
  EXPECT_THAT(run_.WaitingFor({"Quick"}), ElementsAre(quick));
  EXPECT_THAT(run_.WaitingFor({"Quick"}), IsEmpty());
  EXPECT_THAT(run_.Release({"Quick", "Slow"}), ElementsAre(slow));
}

// Its caller may ask again and again while another call goes on for hours.
TEST_F(StepwiseRunTest, ACallThatWasAnsweredIsNotKept) {
  EXPECT_TRUE(run_.Claim({"Quick", "Slow"}, CallFor("")));
  std::weak_ptr<StepCall> answered;
  {
    const auto call = CallFor("Quick");
    answered = call;
    EXPECT_FALSE(run_.Claim({"Quick"}, call));
    run_.StopWaiting(call);
  }
  EXPECT_TRUE(answered.expired());
  EXPECT_THAT(run_.Release({"Quick", "Slow"}), IsEmpty());
}

}  // namespace
}  // namespace kinora

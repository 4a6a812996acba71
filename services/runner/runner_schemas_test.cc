// Runs of producers that declare JSON Schemas.

#include <string>

#include "common/testing/status_matchers.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

constexpr char kPlan[] = R"(
blueprint: film
nodes:
  Plan:
    producer: sim
    settings: {text: '{"shots": "none"}'}
    limits: {max_attempts: 2}
    outputs: {Plan: application/json}
outputs: [Plan]
)";

class RunnerSchemasTest : public RunnerFixture {
 protected:
  // The simulated producer says that about its output `Plan`.
  void Declare(const std::string& schema_json) {
    SimProducerOptions sim;
    v1::DeclaredOutput& plan = sim.outputs.emplace_back();
    plan.set_name("Plan");
    plan.set_mime_type("application/json");
    plan.set_schema_json(schema_json);
    process_.reset();
    process_ = NewProcess(sim);
    MakeMovie(kPlan);
  }
  std::string SchemaErrorOfSim() {
    v1::ListProducersRequest request;
    request.add_names("sim");
    const absl::StatusOr<v1::ListProducersResponse> listed =
        runner().ListProducers(request);
    EXPECT_OK(listed);
    if (!listed.ok() || listed->producers_size() != 1) return "not listed";
    EXPECT_TRUE(listed->producers(0).reachable());
    return listed->producers(0).schema_error();
  }
};

TEST_F(RunnerSchemasTest, AnOutputThatNeverFitsFailsItsRun) {
  Declare(R"({"properties":{"shots":{"type":"array"}}})");
  EXPECT_EQ(SchemaErrorOfSim(), "");
  const v1::RunSnapshot run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_FAILED);
  EXPECT_EQ(calls(), 2);  // it might have been better the second time
  EXPECT_EQ(CurrentOf(store()).revision(), "");
}

TEST_F(RunnerSchemasTest, AnOutputThatFitsIsTaken) {
  Declare(R"({"properties":{"shots":{"type":"string"}}})");
  EXPECT_EQ(RunToEnd(StartRequest()).record().status(),
            v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(calls(), 1);
}

TEST_F(RunnerSchemasTest, ARunThatNeedsASchemaThatIsNoneIsRefused) {
  Declare(R"({"type":"text"})");
  const std::string why =
      "producer \"sim\": the JSON Schema of its output \"Plan\" cannot be "
      "used: "
      "/type";
  EXPECT_THAT(runner().Start(StartRequest()),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(why)));
  EXPECT_THAT(SchemaErrorOfSim(), HasSubstr(why));
  EXPECT_EQ(calls(), 0);
}

}  // namespace
}  // namespace kinora

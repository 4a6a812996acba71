// Whose turn comes first by what calls took before, and a planner that does not
// tell.

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "clients/cpp/producer/remote_producer_caller.h"
#include "clients/cpp/sim/sim_producer_service.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "common/random.h"
#include "common/testing/in_process_server.h"
#include "common/testing/status_matchers.h"
#include "common/thread_pool.h"
#include "services/planner/store_planner.h"
#include "services/runner/runner.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;

// By the number of jobs the quick chain is the longer way.
constexpr char kChains[] = R"(
blueprint: chains
inputs:
  Topic: {type: text, default: "sea"}
nodes:
  Quick:
    producer: sim
    inputs: {topic: "Input:Topic"}
    outputs: {QuickText: text/plain}
  Further:
    producer: sim
    inputs: {text: QuickText}
    outputs: {FurtherText: text/plain}
  Slow:
    producer: wide
    settings: {delay_ms: 500}
    inputs: {topic: "Input:Topic"}
    outputs: {SlowText: text/plain}
outputs: [FurtherText, SlowText]
)";

class RunnerDurationsTest : public RunnerFixture {
 protected:
  // The fixture's clock stands still, and no call would take any time.
  RunnerDurationsTest() {
    process_ = std::make_unique<RunnerProcess>(store(), RealClock(),
                                               SimProducerOptions());
  }

  // The jobs of a run in the order in which they were started, one at a time.
  std::vector<std::string> Order(const std::string& topic) {
    v1::StartRunRequest request = StartRequest({{"Topic", topic}});
    request.set_max_concurrency(1);
    absl::StatusOr<v1::StartRunResponse> started = runner().Start(request);
    EXPECT_OK(started);
    if (!started.ok()) return {};
    std::vector<std::string> jobs;
    for (const v1::LedgerEvent& event : Ledger(started->run().run_id())) {
      if (event.has_step_started()) {
        jobs.push_back(event.step_started().step().step_id());
      }
    }
    return jobs;
  }
};

// Plans as another, and does not say what calls took before it is let go, and
// then only that it cannot.
class SilentPlanner final : public Planner {
 public:
  explicit SilentPlanner(Planner& base) : base_(base) {}

  void LetGo() {
    MutexLock lock(mu_);
    let_go_ = true;
    let_go_cv_.SignalAll();
  }

  absl::StatusOr<v1::EstimatePlanResponse> EstimatePlan(
      const v1::EstimatePlanRequest&) override {
    MutexLock lock(mu_);
    while (!let_go_) let_go_cv_.Wait(mu_);
    return absl::UnavailableError("the planner is away");
  }

  absl::StatusOr<v1::ValidateBlueprintResponse> ValidateBlueprint(
      const v1::ValidateBlueprintRequest& request) override {
    return base_.ValidateBlueprint(request);
  }
  absl::StatusOr<v1::ValidateInputsResponse> ValidateInputs(
      const v1::ValidateInputsRequest& request) override {
    return base_.ValidateInputs(request);
  }
  absl::StatusOr<CreatedPlan> CreatePlan(
      const v1::CreatePlanRequest& request) override {
    return base_.CreatePlan(request);
  }
  absl::StatusOr<v1::ExpandDeferredGroupResponse> ExpandDeferredGroup(
      const v1::ExpandDeferredGroupRequest& request) override {
    return base_.ExpandDeferredGroup(request);
  }
  absl::StatusOr<v1::RenderGraphResponse> RenderGraph(
      const v1::RenderGraphRequest& request) override {
    return base_.RenderGraph(request);
  }
  absl::StatusOr<v1::ExplainArtefactResponse> ExplainArtefact(
      const v1::ExplainArtefactRequest& request) override {
    return base_.ExplainArtefact(request);
  }
  absl::StatusOr<v1::DiffRevisionsResponse> DiffRevisions(
      const v1::DiffRevisionsRequest& request) override {
    return base_.DiffRevisions(request);
  }
  absl::StatusOr<v1::ListTakesResponse> ListTakes(
      const v1::ListTakesRequest& request) override {
    return base_.ListTakes(request);
  }
  absl::StatusOr<v1::ListLeavesResponse> ListLeaves(
      const v1::ListLeavesRequest& request) override {
    return base_.ListLeaves(request);
  }

 private:
  Planner& base_;
  Mutex mu_;
  CondVar let_go_cv_;
  bool let_go_ ABSL_GUARDED_BY(mu_) = false;
};

TEST_F(RunnerDurationsTest, RecordedDurationsDecideWhatComesFirst) {
  MakeMovie(kChains);
  EXPECT_THAT(Order("river"), ElementsAre("Quick", "Slow", "Further"));
  EXPECT_THAT(Order("lake"), ElementsAre("Slow", "Quick", "Further"));
  // Another process learns it from the store.
  process_.reset();
  process_ = std::make_unique<RunnerProcess>(store(), RealClock(),
                                             SimProducerOptions());
  EXPECT_THAT(Order("pond"), ElementsAre("Slow", "Quick", "Further"));
}

// Neither a planner that is slow to tell what calls took nor one that cannot
// keeps a run from its end.
TEST_F(RunnerDurationsTest, ARunDoesNotNeedWhatIsRecorded) {
  MakeMovie(kChains);
  ThreadPool sim_executor("sim", 2);
  SimProducerService sim(sim_executor, SimProducerOptions());
  InProcessServer server({{v1::ProducerService::service_full_name(), &sim}});
  StorePlanner base(store());
  SilentPlanner planner(base);
  ThreadPool executor("runner", 4);
  ProducerConfigs configs;
  configs["sim"].targets = {"sim"};
  configs["wide"].targets = {"sim"};
  RemoteProducerCallerOptions options;
  options.make_channel = [&server](const std::string&) {
    return server.Channel(Transport::kInProcess);
  };
  RemoteProducerCaller caller(configs, store().blobs, executor, RealClock(),
                              options);
  Runner runner(
      {store(), planner, caller, executor, RealClock(), SystemRandom()},
      configs, RunnerOptions());
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse slow,
                       runner.Start(StartRequest()));
  EXPECT_TRUE(Ledger(slow.run().run_id()).back().has_run_completed());
  planner.LetGo();
  v1::StartRunRequest next = StartRequest({{"Topic", "river"}});
  next.set_if_active(v1::IF_ACTIVE_QUEUE);
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse failing, runner.Start(next));
  EXPECT_TRUE(Ledger(failing.run().run_id()).back().has_run_completed());
}

}  // namespace
}  // namespace kinora

// Whose turn comes first by what calls took before, and a planner that does not
// tell.

#include <memory>
#include <string>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "clients/cpp/planner_client.h"
#include "clients/cpp/producer/remote_producer_caller.h"
#include "clients/cpp/sim/sim_producer_service.h"
#include "common/clock.h"
#include "common/random.h"
#include "common/testing/in_process_server.h"
#include "common/testing/status_matchers.h"
#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"
#include "services/planner/planner_service.h"
#include "services/planner/store_planner.h"
#include "services/planner/testing/forwarding_planner.h"
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
class SilentPlanner final : public ForwardingPlanner {
 public:
  using ForwardingPlanner::ForwardingPlanner;

  void LetGo() {
    MutexLock lock(mu_);
    let_go_ = true;
    let_go_cv_.SignalAll();
  }

  int asked() {
    MutexLock lock(mu_);
    return asked_;
  }

  absl::StatusOr<v1::GetJobDurationsResponse> GetJobDurations(
      const v1::GetJobDurationsRequest&) override {
    MutexLock lock(mu_);
    ++asked_;
    while (!let_go_) let_go_cv_.Wait(mu_);
    return absl::UnavailableError("the planner is away");
  }

 private:
  Mutex mu_;
  CondVar let_go_cv_;
  bool let_go_ ABSL_GUARDED_BY(mu_) = false;
  int asked_ ABSL_GUARDED_BY(mu_) = 0;
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

// A runner that calls producers as simulated ones, and asks that planner.
struct RunnerOf {
  RunnerOf(const Store& store, Planner& planner)
      : sim(sim_executor, SimProducerOptions()),
        server({{v1::ProducerService::service_full_name(), &sim}}),
        configs{{"sim", {.targets = {"sim"}}}, {"wide", {.targets = {"sim"}}}},
        caller(configs, store.blobs, executor, RealClock(), CallerOptions()),
        runner({store, planner, caller, executor, RealClock(), SystemRandom()},
               configs, RunnerOptions()) {}

  RemoteProducerCallerOptions CallerOptions() {
    RemoteProducerCallerOptions options;
    options.make_channel = [this](const std::string&) {
      return server.Channel(Transport::kInProcess);
    };
    return options;
  }

  ThreadPool sim_executor{"sim", 2};
  SimProducerService sim;
  InProcessServer server;
  ThreadPool executor{"runner", 4};
  const ProducerConfigs configs;
  RemoteProducerCaller caller;
  Runner runner;
};

// Neither a planner that is slow to tell what calls took nor one that cannot
// keeps a run from its end.
TEST_F(RunnerDurationsTest, ARunDoesNotNeedWhatIsRecorded) {
  MakeMovie(kChains);
  StorePlanner base(store());
  SilentPlanner planner(base);
  RunnerOf of(store(), planner);
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse slow,
                       of.runner.Start(StartRequest()));
  EXPECT_TRUE(Ledger(slow.run().run_id()).back().has_run_completed());
  planner.LetGo();
  v1::StartRunRequest next = StartRequest({{"Topic", "river"}});
  next.set_if_active(v1::IF_ACTIVE_QUEUE);
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse failing,
                       of.runner.Start(next));
  EXPECT_TRUE(Ledger(failing.run().run_id()).back().has_run_completed());
}

// One that never answers is not waited for: neither by runs, each of which asks
// in vain, nor by the runner's end.
TEST_F(RunnerDurationsTest, APlannerThatAnswersTooLateHoldsNobodyUp) {
  MakeMovie(kChains);
  StorePlanner base(store());
  SilentPlanner planner(base);
  ThreadPool pool("planner", 4);
  PlannerRpcService service(planner, pool);
  InProcessServer server({{v1::PlannerService::service_full_name(), &service}});
  RemotePlannerOptions options;
  options.durations_timeout = absl::Milliseconds(20);
  RemotePlanner remote(server.Channel(Transport::kInProcess), options);
  const absl::Cleanup let_go = [&planner] { planner.LetGo(); };
  {
    RunnerOf of(store(), remote);
    for (const char* topic : {"river", "lake"}) {
      v1::StartRunRequest request = StartRequest({{"Topic", topic}});
      request.set_if_active(v1::IF_ACTIVE_QUEUE);
      ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse started,
                           of.runner.Start(request));
      EXPECT_TRUE(Ledger(started.run().run_id()).back().has_run_completed());
    }
  }
  EXPECT_EQ(planner.asked(), 2);
}

}  // namespace
}  // namespace kinora

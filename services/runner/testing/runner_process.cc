#include "services/runner/testing/runner_process.h"

#include "clients/cpp/channel.h"
#include "clients/cpp/producer/remote_producer_caller.h"
#include "clients/cpp/sim/sim_producer_service.h"
#include "common/cost_text.h"
#include "common/random.h"
#include "common/testing/in_process_server.h"
#include "common/threads/thread_pool.h"
#include "services/planner/store_planner.h"

namespace kinora {
namespace {

ProducerConfigs Configs() {
  ProducerConfigs configs;
  configs["sim"] = {{"sim"}, 4, 3, absl::Minutes(5)};
  configs["single"] = {{"sim"}, 1, 3, absl::Minutes(5)};
  configs["wide"] = {{"sim"}, 256, 3, absl::Minutes(5)};
  configs["capped"] = configs["sim"];
  configs["capped"].budget = ParseCostText("USD 0.10");
  configs["flaky"] = configs["sim"];
  configs["flaky"].breaker.failures = 1;
  configs["flaky"].breaker.open = absl::Milliseconds(1);
  configs["flaky"].breaker.longest = absl::Milliseconds(10);
  configs["mixed"] = {{"gone", "sim", "other"}, 4, 3, absl::Minutes(5)};
  return configs;
}

RunnerOptions Options() {
  RunnerOptions options;
  options.max_concurrency = 256;
  options.retry.initial = absl::Milliseconds(1);
  // Its planner always answers; what comes first is not to hang on how soon.
  options.durations_patience = absl::Minutes(5);
  return options;
}

}  // namespace

// In the order of construction.
struct RunnerProcess::Parts {
  Parts(const Store& store, Clock& clock, const SimProducerOptions& options,
        MetricsRegistry* metrics, RunListener* listener, RunRecorder* recorder)
      : sim_executor("sim", 2),
        sim(sim_executor, options),
        server({{v1::ProducerService::service_full_name(), &sim}}),
        other(sim_executor, OtherVersion(options)),
        other_server({{v1::ProducerService::service_full_name(), &other}}),
        planner(store),
        executor("runner", 4),
        caller(Configs(), store.blobs, executor, clock, CallerOptions()),
        deps{store,
             planner,
             caller,
             executor,
             clock,
             SystemRandom(),
             metrics,
             listener,
             /*watchdog=*/nullptr,
             /*renewals=*/nullptr,
             recorder},
        dry_runs(deps, Configs(), Options()),
        runner(deps, Configs(), Options()) {}

  RemoteProducerCallerOptions CallerOptions() {
    RemoteProducerCallerOptions options;
    options.make_channel = [this](const std::string& target) {
      if (target == "gone") return MakeChannel("unix:/nonexistent/socket");
      return (target == "other" ? other_server : server)
          .Channel(Transport::kInProcess);
    };
    return options;
  }

  static SimProducerOptions OtherVersion(SimProducerOptions options) {
    options.version = "other";
    return options;
  }

  ThreadPool sim_executor;
  SimProducerService sim;
  InProcessServer server;
  SimProducerService other;
  InProcessServer other_server;
  StorePlanner planner;
  ThreadPool executor;
  RemoteProducerCaller caller;
  const RunnerDeps deps;
  DryRuns dry_runs;
  Runner runner;
};

RunnerProcess::RunnerProcess(const Store& store, Clock& clock,
                             const SimProducerOptions& sim,
                             MetricsRegistry* metrics, RunListener* listener,
                             RunRecorder* recorder)
    : parts_(std::make_unique<Parts>(store, clock, sim, metrics, listener,
                                     recorder)) {}

RunnerProcess::~RunnerProcess() = default;

Runner& RunnerProcess::runner() { return parts_->runner; }

DryRuns& RunnerProcess::dry_runs() { return parts_->dry_runs; }

int64_t RunnerProcess::calls() const { return parts_->sim.calls(); }

}  // namespace kinora

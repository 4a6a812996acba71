#include "services/standalone/standalone_main.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "clients/cpp/producer/remote_producer_caller.h"
#include "common/clock.h"
#include "common/config_file.h"
#include "common/files/file_system.h"
#include "common/random.h"
#include "common/rpc/program.h"
#include "common/rpc/server.h"
#include "common/status.h"
#include "common/threads/thread_pool.h"
#include "kinora/v1/config.pb.h"
#include "services/planner/planner_service.h"
#include "services/planner/store_planner.h"
#include "services/runner/calls/producer_table.h"
#include "services/runner/hooks/program_hooks.h"
#include "services/runner/program_recorder.h"
#include "services/runner/replay/dry_runs.h"
#include "services/runner/runner.h"
#include "services/runner/runner_service.h"
#include "services/standalone/producer_processes.h"
#include "services/store/local_store.h"
#include "services/store/store_config.h"
#include "services/store/store_service.h"

namespace kinora {
namespace {

// Python producers may have much to import.
constexpr absl::Duration kProducersLimit = absl::Seconds(60);

absl::StatusOr<RunnerOptions> OptionsOf(const v1::StandaloneConfig& config) {
  RunnerOptions options;
  options.in_store_process = true;
  if (config.max_concurrency() > 0) {
    options.max_concurrency = config.max_concurrency();
  }
  if (config.lease_seconds() > 0) {
    options.lease_ttl = absl::Seconds(config.lease_seconds());
  }
  KINORA_ASSIGN_OR_RETURN(
      options.rate,
      ReadCallRate("", config.rate_per_second(), config.rate_per_minute(),
                   config.rate_burst()));
  return options;
}

absl::StatusOr<v1::ProducerTable> ReadTable(const std::string& path) {
  v1::ProducerTable table;
  if (path.empty()) return table;
  KINORA_ASSIGN_OR_RETURN(const std::string yaml,
                          ReadFile(PosixFileSystem(), path));
  KINORA_RETURN_IF_ERROR(ParseYamlConfig(yaml, path, &table));
  return table;
}

// Planner and runner call the store, and the runner the planner, by the same
// interfaces as between processes and with the same requests, but without a
// channel: encoding each event twice and four changes of thread a call were
// half of what a short job costs. What the world sees is a server with all
// services.
class StandaloneServer final : public ProgramServer {
 public:
  static absl::StatusOr<std::unique_ptr<ProgramServer>> Start(
      const v1::StandaloneConfig& config);

  StandaloneServer(const v1::StandaloneConfig& config,
                   std::unique_ptr<LocalStore> local,
                   std::unique_ptr<ThreadPool> store_executor)
      : store_executor_(std::move(store_executor)),
        planner_executor_("planner", WorkerThreadsOf(config.server())),
        runner_executor_("runner", WorkerThreadsOf(config.server())),
        watchdog_("watchdog", 1),
        renewals_("leases", kRenewalThreads),
        local_(local.release()) {}

  std::string address() const override { return public_->address(); }

  void Drain(absl::Duration limit) override {
    dry_runs_->Stop();
    public_->Drain(limit);
    runner_->Drain(limit);
    if (hooks_ != nullptr) hooks_->Drain(limit);
  }

 private:
  absl::Status Serve(const v1::StandaloneConfig& config,
                     ProducerConfigs producers);

  std::unique_ptr<ThreadPool> store_executor_;
  ThreadPool planner_executor_;
  ThreadPool runner_executor_;
  ThreadPool watchdog_;
  ThreadPool renewals_;
  const ProgramStore local_;
  std::unique_ptr<ProgramHooks> hooks_;        // null for none
  std::unique_ptr<ProgramRecorder> recorder_;  // null for none
  std::vector<std::unique_ptr<ProducerProcess>> processes_;

  std::unique_ptr<StorePlanner> planner_;
  std::unique_ptr<RemoteProducerCaller> callers_;
  std::unique_ptr<DryRuns> dry_runs_;
  std::unique_ptr<Runner> runner_;

  std::unique_ptr<StoreServices> public_store_;
  std::unique_ptr<PlannerRpcService> public_planner_;
  std::unique_ptr<RunnerRpcService> public_runner_;
  std::unique_ptr<RpcServer> public_;
};

absl::StatusOr<std::unique_ptr<ProgramServer>> StandaloneServer::Start(
    const v1::StandaloneConfig& config) {
  if (config.data().empty()) {
    return InvalidField("data", "", "name a directory with --data DIR");
  }
  KINORA_ASSIGN_OR_RETURN(const v1::ProducerTable table,
                          ReadTable(config.producers()));
  KINORA_ASSIGN_OR_RETURN(ProducerConfigs producers, CheckProducerTable(table));
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<ProgramHooks> hooks,
                          ProgramHooks::Start(config.hooks()));
  KINORA_RETURN_IF_ERROR(ProgramRecorder::Prepare(config.records()));
  auto executor =
      std::make_unique<ThreadPool>("store", WorkerThreadsOf(config.server()));
  LocalStoreOptions options = LocalStoreOptionsOf(config);
  options.metrics = MetricsOf(config.server());
  KINORA_ASSIGN_OR_RETURN(
      std::unique_ptr<LocalStore> local,
      LocalStore::Open(options, PosixFileSystem(), RealClock(), SystemRandom(),
                       *executor));
  auto server = std::make_unique<StandaloneServer>(config, std::move(local),
                                                   std::move(executor));
  server->hooks_ = std::move(hooks);
  KINORA_ASSIGN_OR_RETURN(
      server->processes_,
      StartProducers(table, std::string(ParentPath(config.producers())),
                     kProducersLimit));
  KINORA_RETURN_IF_ERROR(server->Serve(config, std::move(producers)));
  return server;
}

absl::Status StandaloneServer::Serve(const v1::StandaloneConfig& config,
                                     ProducerConfigs producers) {
  const Store store = local_->store();
  // Derived like the store's indexes, but no part of the store.
  planner_ = std::make_unique<StorePlanner>(
      store, PosixFileSystem(), JoinPath(config.data(), "planner-cache"),
      &planner_executor_, MetricsOf(config.server()));

  RemoteProducerCallerOptions caller;
  caller.inline_limit_bytes = config.inline_limit_bytes();
  callers_ = std::make_unique<RemoteProducerCaller>(
      producers, store.blobs, runner_executor_, RealClock(), caller);
  RunListener* const listener =
      hooks_ == nullptr ? nullptr : hooks_->listener();
  recorder_ = ProgramRecorder::Start(config.records(), store, listener,
                                     MetricsOf(config.server()));
  const RunnerDeps deps{store,
                        *planner_,
                        *callers_,
                        runner_executor_,
                        RealClock(),
                        SystemRandom(),
                        MetricsOf(config.server()),
                        listener,
                        &watchdog_,
                        &renewals_,
                        recorder_ == nullptr ? nullptr : recorder_->recorder()};
  KINORA_ASSIGN_OR_RETURN(const RunnerOptions options, OptionsOf(config));
  dry_runs_ = std::make_unique<DryRuns>(deps, producers, options);
  runner_ = std::make_unique<Runner>(deps, std::move(producers), options);

  const RpcServerOptions rpc = RpcServerOptionsOf(config.server());
  StoreServiceOptions info =
      StoreServiceOptionsOf(LocalStoreOptionsOf(config), *local_);
  info.max_message_bytes = rpc.max_message_bytes;
  public_store_ =
      std::make_unique<StoreServices>(store, *store_executor_, info);
  public_planner_ =
      std::make_unique<PlannerRpcService>(*planner_, planner_executor_);
  public_runner_ = std::make_unique<RunnerRpcService>(
      *runner_, store.events, runner_executor_, dry_runs_.get());
  std::vector<RpcService> services = public_store_->services();
  services.push_back(
      {v1::PlannerService::service_full_name(), public_planner_.get()});
  services.push_back(
      {v1::RunnerService::service_full_name(), public_runner_.get()});
  KINORA_ASSIGN_OR_RETURN(public_, RpcServer::Start(rpc, services));
  runner_->KeepAdopting();
  return absl::OkStatus();
}

}  // namespace

int StandaloneMain(int argc, char** argv) {
  v1::StandaloneConfig config;
  Program program;
  program.name = "kinora";
  program.summary = "up: serves store, planner and runner in one process.";
  program.default_listen = "127.0.0.1:7400";
  return RunProgram(argc, argv, program, &config,
                    [&config] { return StandaloneServer::Start(config); });
}

}  // namespace kinora

// kinora-runner: RunnerService over a remote store and a remote planner.

#include <algorithm>
#include <memory>
#include <utility>

#include "clients/cpp/channel.h"
#include "clients/cpp/planner_client.h"
#include "clients/cpp/producer/remote_producer_caller.h"
#include "clients/cpp/remote_store.h"
#include "common/clock.h"
#include "common/files/file_system.h"
#include "common/random.h"
#include "common/rpc/program.h"
#include "common/rpc/server.h"
#include "common/status.h"
#include "common/threads/thread_pool.h"
#include "kinora/v1/config.pb.h"
#include "services/runner/calls/producer_table_file.h"
#include "services/runner/hooks/program_hooks.h"
#include "services/runner/program_recorder.h"
#include "services/runner/replay/dry_runs.h"
#include "services/runner/runner.h"
#include "services/runner/runner_service.h"

namespace kinora {
namespace {

absl::StatusOr<RunnerOptions> OptionsOf(const v1::RunnerConfig& config) {
  RunnerOptions options;
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

// A connection that swallows what is sent holds each call until its deadline,
// half a minute. Pings find that out before, but not before the lease has
// expired: what heals until then has cost time only. Servers of ours allow a
// ping every 5 s.
ChannelOptions StoreChannelOptions(absl::Duration lease_ttl) {
  ChannelOptions options;
  options.keepalive =
      std::clamp(lease_ttl, absl::Seconds(6), options.keepalive);
  options.keepalive_timeout =
      std::clamp(lease_ttl, absl::Seconds(6), options.keepalive_timeout);
  return options;
}

class RunnerServer final : public ProgramServer {
 public:
  static absl::StatusOr<std::unique_ptr<ProgramServer>> Start(
      const v1::RunnerConfig& config) {
    ProducerConfigs producers;
    if (!config.producers().empty()) {
      KINORA_ASSIGN_OR_RETURN(
          producers, LoadProducerTable(PosixFileSystem(), config.producers()));
    }
    KINORA_ASSIGN_OR_RETURN(std::unique_ptr<ProgramHooks> hooks,
                            ProgramHooks::Start(config.hooks()));
    KINORA_RETURN_IF_ERROR(ProgramRecorder::Prepare(config.records()));
    KINORA_ASSIGN_OR_RETURN(const RunnerOptions options, OptionsOf(config));
    auto server = std::make_unique<RunnerServer>(
        config, options, std::move(producers), std::move(hooks));
    KINORA_ASSIGN_OR_RETURN(
        server->server_,
        RpcServer::Start(
            RpcServerOptionsOf(config.server()),
            {{v1::RunnerService::service_full_name(), &server->service_}}));
    server->runner_.KeepAdopting();
    return server;
  }

  RunnerServer(const v1::RunnerConfig& config, const RunnerOptions& options,
               ProducerConfigs producers, std::unique_ptr<ProgramHooks> hooks)
      : hooks_(std::move(hooks)),
        store_(MakeChannel(config.store_addr().empty() ? "127.0.0.1:7401"
                                                       : config.store_addr(),
                           StoreChannelOptions(options.lease_ttl))),
        planner_(MakeChannel(config.planner_addr().empty()
                                 ? "127.0.0.1:7402"
                                 : config.planner_addr())),
        executor_("runner", WorkerThreadsOf(config.server())),
        watchdog_("watchdog", 1),
        renewals_("leases", kRenewalThreads),
        callers_(producers, store_.store().blobs, executor_, RealClock(), {}),
        recorder_(ProgramRecorder::Start(
            config.records(), store_.store(),
            hooks_ == nullptr ? nullptr : hooks_->listener(),
            MetricsOf(config.server()))),
        deps_{store_.store(),
              planner_,
              callers_,
              executor_,
              RealClock(),
              SystemRandom(),
              MetricsOf(config.server()),
              hooks_ == nullptr ? nullptr : hooks_->listener(),
              &watchdog_,
              &renewals_,
              recorder_ == nullptr ? nullptr : recorder_->recorder()},
        dry_runs_(deps_, producers, options),
        runner_(deps_, std::move(producers), options),
        service_(runner_, store_.store().events, executor_, &dry_runs_) {}

  std::string address() const override { return server_->address(); }

  // Watchers are sent away first; they resume at another runner or later.
  void Drain(absl::Duration limit) override {
    dry_runs_.Stop();
    server_->Drain(limit);
    runner_.Drain(limit);
    if (hooks_ != nullptr) hooks_->Drain(limit);
  }

 private:
  const std::unique_ptr<ProgramHooks> hooks_;  // null for none
  RemoteStore store_;
  RemotePlanner planner_;
  ThreadPool executor_;
  // Both end before what their tasks use.
  ThreadPool watchdog_;
  ThreadPool renewals_;
  RemoteProducerCaller callers_;
  const std::unique_ptr<ProgramRecorder> recorder_;  // null for none
  const RunnerDeps deps_;
  DryRuns dry_runs_;
  Runner runner_;
  RunnerRpcService service_;
  std::unique_ptr<RpcServer> server_;
};

}  // namespace
}  // namespace kinora

int main(int argc, char** argv) {
  kinora::v1::RunnerConfig config;
  kinora::Program program;
  program.name = "kinora-runner";
  program.summary = "Carries plans out by calling producers.";
  program.default_listen = "127.0.0.1:7403";
  return kinora::RunProgram(argc, argv, program, &config, [&config] {
    return kinora::RunnerServer::Start(config);
  });
}

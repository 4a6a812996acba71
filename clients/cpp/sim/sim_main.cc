#include "clients/cpp/sim/sim_main.h"

#include <memory>
#include <string>
#include <utility>

#include "clients/cpp/sim/sim_producer_service.h"
#include "common/rpc/program.h"
#include "common/status.h"
#include "common/thread_pool.h"
#include "kinora/v1/config.pb.h"

namespace kinora {
namespace {

SimProducerOptions OptionsOf(const v1::SimConfig& config) {
  SimProducerOptions options;
  if (!config.version().empty()) options.version = config.version();
  return options;
}

class SimServer final : public ProgramServer {
 public:
  static absl::StatusOr<std::unique_ptr<ProgramServer>> Start(
      const v1::SimConfig& config) {
    auto sim = std::make_unique<SimServer>(config);
    KINORA_ASSIGN_OR_RETURN(
        sim->server_,
        RpcServer::Start(
            RpcServerOptionsOf(config.server()),
            {{v1::ProducerService::service_full_name(), &sim->service_}}));
    return sim;
  }

  explicit SimServer(const v1::SimConfig& config)
      : executor_("sim", WorkerThreadsOf(config.server())),
        service_(executor_, OptionsOf(config)) {}

  std::string address() const override { return server_->address(); }
  void Drain(absl::Duration limit) override { server_->Drain(limit); }

 private:
  ThreadPool executor_;
  SimProducerService service_;
  std::unique_ptr<RpcServer> server_;
};

}  // namespace

int SimMain(int argc, char** argv) {
  v1::SimConfig config;
  Program program;
  program.name = "kinora-sim-producer";
  program.summary = "Serves any producer name with deterministic outputs.";
  program.default_listen = "127.0.0.1:7404";
  return RunProgram(argc, argv, program, &config,
                    [&config] { return SimServer::Start(config); });
}

}  // namespace kinora

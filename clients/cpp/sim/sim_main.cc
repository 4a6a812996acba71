#include "clients/cpp/sim/sim_main.h"

#include <memory>
#include <string>
#include <utility>

#include "clients/cpp/sim/sim_producer_service.h"
#include "clients/cpp/sim/sim_record.h"
#include "common/files/file_system.h"
#include "common/rpc/program.h"
#include "common/status.h"
#include "common/threads/thread_pool.h"
#include "kinora/v1/config.pb.h"

namespace kinora {
namespace {

SimProducerOptions OptionsOf(const v1::SimConfig& config, SimRecord* record) {
  SimProducerOptions options;
  if (!config.version().empty()) options.version = config.version();
  options.record = record;
  if (config.references()) options.files = &PosixFileSystem();
  return options;
}

class SimServer final : public ProgramServer {
 public:
  static absl::StatusOr<std::unique_ptr<ProgramServer>> Start(
      const v1::SimConfig& config) {
    std::unique_ptr<SimRecord> record;
    if (!config.record().empty()) {
      KINORA_ASSIGN_OR_RETURN(
          record, SimRecord::Open(PosixFileSystem(), config.record()));
    }
    auto sim = std::make_unique<SimServer>(config, std::move(record));
    KINORA_ASSIGN_OR_RETURN(
        sim->server_,
        RpcServer::Start(
            RpcServerOptionsOf(config.server()),
            {{v1::ProducerService::service_full_name(), &sim->service_}}));
    return sim;
  }

  SimServer(const v1::SimConfig& config, std::unique_ptr<SimRecord> record)
      : executor_("sim", WorkerThreadsOf(config.server())),
        record_(std::move(record)),
        service_(executor_, OptionsOf(config, record_.get())) {}

  std::string address() const override { return server_->address(); }
  void Drain(absl::Duration limit) override { server_->Drain(limit); }

 private:
  ThreadPool executor_;
  const std::unique_ptr<SimRecord> record_;  // null if none is kept
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

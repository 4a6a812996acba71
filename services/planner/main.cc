// kinora-planner: PlannerService over a remote store.

#include <memory>
#include <utility>
#include <vector>

#include "clients/cpp/channel.h"
#include "clients/cpp/remote_store.h"
#include "common/files/file_system.h"
#include "common/rpc/program.h"
#include "common/rpc/server.h"
#include "common/status.h"
#include "common/threads/thread_pool.h"
#include "kinora/v1/config.pb.h"
#include "services/planner/planner_service.h"
#include "services/planner/store_planner.h"

namespace kinora {
namespace {

class PlannerServer final : public ProgramServer {
 public:
  static absl::StatusOr<std::unique_ptr<ProgramServer>> Start(
      const v1::PlannerConfig& config) {
    auto server = std::make_unique<PlannerServer>(config);
    KINORA_ASSIGN_OR_RETURN(
        server->server_,
        RpcServer::Start(
            RpcServerOptionsOf(config.server()),
            {{v1::PlannerService::service_full_name(), &server->service_}}));
    return server;
  }

  explicit PlannerServer(const v1::PlannerConfig& config)
      : store_(MakeChannel(config.store_addr().empty() ? "127.0.0.1:7401"
                                                       : config.store_addr())),
        executor_("planner", WorkerThreadsOf(config.server())),
        planner_(store_.store(), PosixFileSystem(), config.cache_dir(),
                 &executor_, MetricsOf(config.server())),
        service_(planner_, executor_) {}

  std::string address() const override { return server_->address(); }
  void Drain(absl::Duration limit) override { server_->Drain(limit); }

 private:
  RemoteStore store_;
  ThreadPool executor_;
  StorePlanner planner_;
  PlannerRpcService service_;
  std::unique_ptr<RpcServer> server_;
};

}  // namespace
}  // namespace kinora

int main(int argc, char** argv) {
  kinora::v1::PlannerConfig config;
  kinora::Program program;
  program.name = "kinora-planner";
  program.summary = "Reads blueprints and plans what must run.";
  program.default_listen = "127.0.0.1:7402";
  return kinora::RunProgram(argc, argv, program, &config, [&config] {
    return kinora::PlannerServer::Start(config);
  });
}

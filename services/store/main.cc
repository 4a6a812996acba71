// kinora-store: the store as a server of its own.

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/clock.h"
#include "common/files/file_system.h"
#include "common/random.h"
#include "common/rpc/program.h"
#include "common/rpc/server.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "common/threads/thread_pool.h"
#include "kinora/v1/config.pb.h"
#include "services/store/local_store.h"
#include "services/store/store_config.h"
#include "services/store/store_service.h"

namespace kinora {
namespace {

class StoreServer final : public ProgramServer {
 public:
  static absl::StatusOr<std::unique_ptr<ProgramServer>> Start(
      const v1::StoreConfig& config) {
    auto server = std::make_unique<StoreServer>(config);
    KINORA_RETURN_IF_ERROR(server->Serve(config));
    return server;
  }

  explicit StoreServer(const v1::StoreConfig& config)
      : executor_("store", WorkerThreadsOf(config.server())) {}

  std::string address() const override { return server_->address(); }
  void Drain(absl::Duration limit) override { server_->Drain(limit); }

 private:
  absl::Status Serve(const v1::StoreConfig& config) {
    LocalStoreOptions options = LocalStoreOptionsOf(config);
    options.metrics = MetricsOf(config.server());
    if (options.data_dir.empty()) {
      LogWarning(
          "no data directory is given: all is kept in memory and gone "
          "when the server ends",
          {{"option", "--data"}});
    }
    KINORA_ASSIGN_OR_RETURN(
        std::unique_ptr<LocalStore> local,
        LocalStore::Open(options, PosixFileSystem(), RealClock(),
                         SystemRandom(), executor_));
    store_.reset(local.release());
    const RpcServerOptions rpc = RpcServerOptionsOf(config.server());
    StoreServiceOptions info = StoreServiceOptionsOf(options, *store_);
    info.max_message_bytes = rpc.max_message_bytes;
    services_.emplace(store_->store(), executor_, info);
    KINORA_ASSIGN_OR_RETURN(server_,
                            RpcServer::Start(rpc, services_->services()));
    return absl::OkStatus();
  }

  ThreadPool executor_;
  ProgramStore store_;
  std::optional<StoreServices> services_;
  std::unique_ptr<RpcServer> server_;
};

}  // namespace
}  // namespace kinora

int main(int argc, char** argv) {
  kinora::v1::StoreConfig config;
  kinora::Program program;
  program.name = "kinora-store";
  program.summary = "keeps movies: blobs, events, manifests, plans, leases.";
  program.default_listen = "127.0.0.1:7401";
  return kinora::RunProgram(argc, argv, program, &config, [&config] {
    return kinora::StoreServer::Start(config);
  });
}

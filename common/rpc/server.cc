#include "common/rpc/server.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/channel.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"

#include "common/rpc/call_context.h"
#include "common/rpc/deadline.h"
#include "common/rpc/interceptors.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "common/threads/mutex.h"

namespace kinora {
namespace {

class CallContextAllocator final : public grpc::ContextAllocator {
 public:
  explicit CallContextAllocator(std::shared_ptr<CallTracker> tracker)
      : tracker_(std::move(tracker)) {}

  grpc::CallbackServerContext* NewCallbackServerContext() override {
    return new CallContext(tracker_);
  }
  // Of calls to methods that nobody serves. A context that gRPC makes by itself
  // it gives to Release() all the same, and frees again.
  grpc::GenericCallbackServerContext* NewGenericCallbackServerContext()
      override {
    return new grpc::GenericCallbackServerContext();
  }
  void Release(grpc::CallbackServerContext* context) override {
    delete context;
  }
  void Release(grpc::GenericCallbackServerContext* context) override {
    delete context;
  }

 private:
  const std::shared_ptr<CallTracker> tracker_;
};

absl::Status CheckListenAddress(absl::string_view listen) {
  const size_t colon = listen.rfind(':');
  int port = -1;
  if (colon == absl::string_view::npos || colon == 0 ||
      !absl::SimpleAtoi(listen.substr(colon + 1), &port) || port < 0 ||
      port > 65535) {
    return InvalidField("listen", listen, "must be HOST:PORT");
  }
  return absl::OkStatus();
}

}  // namespace

struct RpcServer::State {
  std::shared_ptr<CallTracker> tracker;
  std::unique_ptr<grpc::Server> server;
  std::string address;
  std::vector<std::string> names;

  Mutex mu;
  bool drained ABSL_GUARDED_BY(mu) = false;
};

absl::StatusOr<std::unique_ptr<RpcServer>> RpcServer::Start(
    const RpcServerOptions& options, const std::vector<RpcService>& services) {
  auto state = std::make_unique<State>();
  state->tracker = std::make_shared<CallTracker>(options.max_concurrent_calls);

  // Both are settings of the process; making them again changes nothing.
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();

  grpc::ServerBuilder builder;
  int port = 0;
  if (!options.listen.empty()) {
    KINORA_RETURN_IF_ERROR(CheckListenAddress(options.listen));
    // Two servers on one port would each get a part of the connections.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddListeningPort(options.listen, grpc::InsecureServerCredentials(),
                             &port);
  }
  // Clients ping while a stream is silent; see clients/cpp/channel.h.
  builder.AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.SetMaxReceiveMessageSize(options.max_message_bytes);
  // What was accepted in small pieces may be asked for as a whole.
  builder.SetMaxSendMessageSize(-1);
  // Reflection alone is served by gRPC's own threads.
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 1);
  builder.SetContextAllocator(
      std::make_unique<CallContextAllocator>(state->tracker));
  builder.experimental().SetInterceptorCreators(
      MakeServerInterceptors(options.metrics));
  for (const RpcService& service : services) {
    builder.RegisterService(service.service);
    state->names.emplace_back(service.name);
  }
  state->server = builder.BuildAndStart();
  if (state->server == nullptr || (!options.listen.empty() && port == 0)) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", options.listen,
                     ": the address is taken or not of this machine"));
  }
  if (!options.listen.empty()) {
    state->address = absl::StrCat(
        options.listen.substr(0, options.listen.rfind(':')), ":", port);
  }
  auto server = std::unique_ptr<RpcServer>(new RpcServer(std::move(state)));
  for (const std::string& name : server->state_->names) {
    server->SetServing(name, true);
  }
  return server;
}

RpcServer::RpcServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

RpcServer::~RpcServer() { Drain(absl::ZeroDuration()); }

const std::string& RpcServer::address() const { return state_->address; }

std::shared_ptr<grpc::Channel> RpcServer::InProcessChannel() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  return state_->server->experimental().InProcessChannelWithInterceptors(
      arguments, MakeClientInterceptors());
}

void RpcServer::SetServing(absl::string_view service, bool serving) {
  state_->server->GetHealthCheckService()->SetServingStatus(
      std::string(service), serving);
}

void RpcServer::Drain(absl::Duration limit) {
  {
    MutexLock lock(state_->mu);
    if (std::exchange(state_->drained, true)) return;
  }
  state_->server->GetHealthCheckService()->SetServingStatus(false);
  state_->tracker->StartDrain();
  if (!state_->tracker->WaitUntilIdle(limit)) {
    LogWarning("calls are cancelled at the end of the drain",
               {{"calls", state_->tracker->calls()}});
  }
  // What is left now (overdue calls, health watchers) is cancelled at once.
  state_->server->Shutdown(GrpcDeadline(absl::ZeroDuration()));
  // Tasks of calls that have ended may still be queued on an executor.
  state_->tracker->WaitUntilReleased();
}

}  // namespace kinora

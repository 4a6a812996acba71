// An RpcServer serves callback services with all that every Kinora server has:
// health (grpc.health.v1) by service name, reflection, limits on messages and
// calls, metrics, logging, trace context, and UNIMPLEMENTED answers that name
// the RPC.

#ifndef KINORA_COMMON_RPC_SERVER_H_
#define KINORA_COMMON_RPC_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace grpc {
class Channel;
class Service;
}  // namespace grpc

namespace kinora {

class MetricsRegistry;

// A service to serve, borrowed, and its full name:
//
//   RpcService{v1::MovieService::service_full_name(), &movie_service}
struct RpcService {
  absl::string_view name;
  grpc::Service* service = nullptr;
};

struct RpcServerOptions {
  // HOST:PORT; port 0 takes a free one. Empty: in-process channels only.
  std::string listen = "127.0.0.1:0";
  // Larger requests are refused with RESOURCE_EXHAUSTED; answers may be larger.
  int max_message_bytes = 16 << 20;
  // Calls served at once; further ones get RESOURCE_EXHAUSTED.
  int max_concurrent_calls = 4096;
  // Where calls are counted; null for nowhere. MUST outlive the server.
  MetricsRegistry* metrics = nullptr;
};

// Thread-safe.
class RpcServer {
 public:
  // Starts serving. The services and the executors they use MUST outlive the
  // server. INVALID_ARGUMENT if `listen` is malformed, UNAVAILABLE if the port
  // cannot be had; both name it. A port is never shared with another server.
  static absl::StatusOr<std::unique_ptr<RpcServer>> Start(
      const RpcServerOptions& options, const std::vector<RpcService>& services);

  // Drains with no time to spare, unless Drain() was called.
  ~RpcServer();

  RpcServer(const RpcServer&) = delete;
  RpcServer& operator=(const RpcServer&) = delete;

  // HOST:PORT with the port that was taken; empty without one.
  const std::string& address() const;

  // A channel into this server that takes no socket. It MUST NOT be used after
  // the server is gone. It buffers nothing: a client of a bidirectional stream
  // reads and writes independently.
  std::shared_ptr<grpc::Channel> InProcessChannel();

  // Sets what health checks say of one service, or of the whole server (empty
  // name). Everything serves from the start.
  void SetServing(absl::string_view service, bool serving);

  // Ends serving: health says NOT_SERVING, new calls get UNAVAILABLE, follow
  // streams are ended with UNAVAILABLE, calls under way may finish until
  // `limit` has passed, and what is left then is cancelled. Returns once no
  // call is left, nor a task of one on an executor: services, executors and
  // stores may go in any order then. Further calls of Drain() do nothing.
  // REQUIRES: not called from an executor of a service.
  void Drain(absl::Duration limit);

 private:
  struct State;
  explicit RpcServer(std::unique_ptr<State> state);

  const std::unique_ptr<State> state_;
};

}  // namespace kinora

#endif  // KINORA_COMMON_RPC_SERVER_H_

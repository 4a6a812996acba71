// An InProcessServer serves services for the length of a test, over both
// transports: an in-process channel, which buffers nothing, and loopback TCP,
// which buffers megabytes. Stream tests run on both.

#ifndef KINORA_COMMON_TESTING_IN_PROCESS_SERVER_H_
#define KINORA_COMMON_TESTING_IN_PROCESS_SERVER_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "clients/cpp/channel.h"
#include "common/rpc/server.h"

namespace kinora {

enum class Transport { kInProcess, kTcp };

// For INSTANTIATE_TEST_SUITE_P(..., TransportName).
inline std::string TransportName(
    const ::testing::TestParamInfo<Transport>& info) {
  return info.param == Transport::kTcp ? "Tcp" : "InProcess";
}

class InProcessServer {
 public:
  // The services and their executors MUST outlive this. Aborts if the server
  // cannot start.
  explicit InProcessServer(const std::vector<RpcService>& services,
                           RpcServerOptions options = {})
      : server_(RpcServer::Start(options, services).value()) {}

  RpcServer& server() { return *server_; }

  // A channel that repeats nothing. MUST be gone before this is.
  std::shared_ptr<grpc::Channel> Channel(Transport transport) {
    if (transport == Transport::kInProcess) return server_->InProcessChannel();
    ChannelOptions options;
    options.retry = false;
    options.own_connection = true;
    return MakeChannel(server_->address(), options);
  }

 private:
  const std::unique_ptr<RpcServer> server_;
};

}  // namespace kinora

#endif  // KINORA_COMMON_TESTING_IN_PROCESS_SERVER_H_

// Connections of the benchmarks' clients: bare gRPC on both sides of a pair.

#ifndef KINORA_TESTS_BENCH_CPP_CONNECTION_H_
#define KINORA_TESTS_BENCH_CPP_CONNECTION_H_

#include <memory>
#include <string>

#include "grpcpp/channel.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace kinora {

// A channel without interceptors, retries or limits, with a TCP connection of
// its own.
inline std::shared_ptr<grpc::Channel> BareChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(),
                                   arguments);
}

}  // namespace kinora

#endif  // KINORA_TESTS_BENCH_CPP_CONNECTION_H_

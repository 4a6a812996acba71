// Connections of the benchmarks' clients: bare gRPC on both sides of a pair.

#ifndef KINORA_TESTS_BENCH_CPP_CONNECTION_H_
#define KINORA_TESTS_BENCH_CPP_CONNECTION_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

#include "common/clock.h"
#include "tests/bench/cpp/bench.h"

namespace kinora {

// A channel without interceptors, retries or limits, with a TCP connection of
// its own, which stands: connecting is no part of what is measured.
inline std::shared_ptr<grpc::Channel> BareChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  auto channel = grpc::CreateCustomChannel(
      address, grpc::InsecureChannelCredentials(), arguments);
  if (!channel->WaitForConnected(
          absl::ToChronoTime(RealClock().Now() + absl::Seconds(20)))) {
    FailBench(absl::UnavailableError(absl::StrCat("nobody at ", address)));
  }
  return channel;
}

}  // namespace kinora

#endif  // KINORA_TESTS_BENCH_CPP_CONNECTION_H_

#include "clients/cpp/channel.h"

#include <string>

#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

#include "common/rpc/interceptors.h"

namespace kinora {
namespace {

// Calls that are safe to repeat: reads, and writes that the server recognises
// by content, request id or holder. gRPC makes at most five attempts.
constexpr char kServiceConfig[] = R"json({
  "methodConfig": [{
    "name": [
      {"service": "kinora.v1.MovieService", "method": "GetMovie"},
      {"service": "kinora.v1.MovieService", "method": "ListMovies"},
      {"service": "kinora.v1.MovieService", "method": "SetBlueprint"},
      {"service": "kinora.v1.BlobService"},
      {"service": "kinora.v1.EventService"},
      {"service": "kinora.v1.ManifestService", "method": "GetCurrentManifest"},
      {"service": "kinora.v1.ManifestService", "method": "GetManifest"},
      {"service": "kinora.v1.ManifestService", "method": "ListManifests"},
      {"service": "kinora.v1.PlanService"},
      {"service": "kinora.v1.LeaseService"},
      {"service": "kinora.v1.RunRecordService"},
      {"service": "kinora.v1.MaintenanceService", "method": "GetServerInfo"},
      {"service": "kinora.v1.PlannerService"},
      {"service": "kinora.v1.RunnerService", "method": "GetRun"},
      {"service": "kinora.v1.RunnerService", "method": "ListRuns"},
      {"service": "kinora.v1.RunnerService", "method": "ListProducers"}
    ],
    "retryPolicy": {
      "maxAttempts": 5,
      "initialBackoff": "0.2s",
      "maxBackoff": "1s",
      "backoffMultiplier": 2,
      "retryableStatusCodes": ["UNAVAILABLE"]
    }
  }]
})json";

}  // namespace

std::shared_ptr<grpc::Channel> MakeChannel(absl::string_view target,
                                           const ChannelOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(options.max_answer_bytes);
  arguments.SetMaxSendMessageSize(options.max_request_bytes);
  arguments.SetInt(
      GRPC_ARG_KEEPALIVE_TIME_MS,
      static_cast<int>(absl::ToInt64Milliseconds(options.keepalive)));
  arguments.SetInt(
      GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
      static_cast<int>(absl::ToInt64Milliseconds(options.keepalive_timeout)));
  // By default a silent stream is given up after two pings.
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // A server that comes back is found within a second or two, not minutes.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  // Despite its name the time one attempt to connect may take: a busy machine
  // needs more than the backoff. A refused connection does not wait for it.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  if (options.own_connection) {
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  }
  if (options.retry) arguments.SetServiceConfigJSON(kServiceConfig);
  return grpc::experimental::CreateCustomChannelWithInterceptors(
      std::string(target), grpc::InsecureChannelCredentials(), arguments,
      MakeClientInterceptors());
}

}  // namespace kinora

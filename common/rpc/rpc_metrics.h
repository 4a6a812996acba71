// RpcMetrics counts the calls that a server has served:
//
//   kinora_rpc_calls_total{method,code}   calls by their end
//   kinora_rpc_latency_seconds{method}    from the request to the status
//
// A method is the full name, such as `kinora.v1.MovieService/GetMovie`; those
// that are no part of this build's API are one, `other`.

#ifndef KINORA_COMMON_RPC_RPC_METRICS_H_
#define KINORA_COMMON_RPC_RPC_METRICS_H_

#include <map>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/telemetry/metrics.h"
#include "common/threads/mutex.h"

namespace kinora {

// Thread-safe.
class RpcMetrics {
 public:
  // `registry` MUST outlive it.
  explicit RpcMetrics(MetricsRegistry& registry) : registry_(registry) {}

  // `method` as gRPC has it: "/kinora.v1.MovieService/GetMovie".
  void Count(absl::string_view method, absl::StatusCode code,
             absl::Duration latency);

 private:
  // What is looked up in the registry once.
  struct Method {
    std::string name;
    Histogram* latency = nullptr;
    std::map<absl::StatusCode, Counter*> calls;
  };

  Method& MethodOf(absl::string_view method) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  MetricsRegistry& registry_;
  Mutex mu_;
  absl::flat_hash_map<std::string, Method> methods_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_COMMON_RPC_RPC_METRICS_H_

// A small registry of counters and latency histograms, rendered in the text
// format of Prometheus.

#ifndef KINORA_COMMON_METRICS_H_
#define KINORA_COMMON_METRICS_H_

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/mutex.h"

namespace kinora {

// Thread-safe.
class MetricsRegistry {
 public:
  // Upper bounds in milliseconds of the histogram's buckets, but the last.
  static constexpr std::array<int, 12> kBucketMillis = {
      1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 30000};

  // Counts one call of an RPC, such as "/kinora.v1.MovieService/GetMovie", as
  // server or client ("server").
  void CountCall(absl::string_view side, absl::string_view method,
                 absl::StatusCode code, absl::Duration latency);

  // Calls counted so far.
  int64_t Calls(absl::string_view side, absl::string_view method,
                absl::StatusCode code) const;

  // All of it:
  //   kinora_rpc_calls_total{side="server",method="...",code="OK"} 3
  //   kinora_rpc_latency_seconds_bucket{side=...,method=...,le="0.001"} 2
  //   ..._sum, ..._count
  std::string RenderPrometheus() const;

 private:
  struct Histogram {
    std::array<int64_t, kBucketMillis.size() + 1> buckets = {};
    int64_t count = 0;
    absl::Duration sum;
  };
  // By side and method, and for counts by code too.
  using MethodKey = std::pair<std::string, std::string>;

  mutable Mutex mu_;
  std::map<std::pair<MethodKey, absl::StatusCode>, int64_t> calls_
      ABSL_GUARDED_BY(mu_);
  std::map<MethodKey, Histogram> latencies_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_COMMON_METRICS_H_

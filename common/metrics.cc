#include "common/metrics.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "common/json_writer.h"

namespace kinora {
namespace {

// Label values need the same escapes as JSON texts, as far as ours go.
std::string Labels(const std::pair<std::string, std::string>& key) {
  std::string labels = "side=";
  AppendJsonString(key.first, &labels);
  labels += ",method=";
  AppendJsonString(key.second, &labels);
  return labels;
}

std::string Seconds(double value) {
  std::string text;
  AppendJsonNumber(value, &text);
  return text;
}

}  // namespace

void MetricsRegistry::CountCall(absl::string_view side,
                                absl::string_view method, absl::StatusCode code,
                                absl::Duration latency) {
  const double millis = absl::ToDoubleMilliseconds(latency);
  const size_t bucket =
      std::lower_bound(kBucketMillis.begin(), kBucketMillis.end(), millis) -
      kBucketMillis.begin();
  const MethodKey key(side, method);
  MutexLock lock(mu_);
  ++calls_[std::make_pair(key, code)];
  Histogram& histogram = latencies_[key];
  ++histogram.buckets[bucket];
  ++histogram.count;
  histogram.sum += latency;
}

int64_t MetricsRegistry::Calls(absl::string_view side, absl::string_view method,
                               absl::StatusCode code) const {
  MutexLock lock(mu_);
  const auto found = calls_.find(std::make_pair(MethodKey(side, method), code));
  return found == calls_.end() ? 0 : found->second;
}

std::string MetricsRegistry::RenderPrometheus() const {
  std::string out = "# TYPE kinora_rpc_calls_total counter\n";
  MutexLock lock(mu_);
  for (const auto& entry : calls_) {
    absl::StrAppend(&out, "kinora_rpc_calls_total{", Labels(entry.first.first),
                    ",code=\"", absl::StatusCodeToString(entry.first.second),
                    "\"} ", entry.second, "\n");
  }
  const std::string name = "kinora_rpc_latency_seconds";
  absl::StrAppend(&out, "# TYPE ", name, " histogram\n");
  for (const auto& entry : latencies_) {
    const std::string labels = Labels(entry.first);
    int64_t below = 0;
    for (size_t i = 0; i < entry.second.buckets.size(); ++i) {
      below += entry.second.buckets[i];
      const std::string bound = i < kBucketMillis.size()
                                    ? Seconds(kBucketMillis[i] / 1000.0)
                                    : "+Inf";
      absl::StrAppend(&out, name, "_bucket{", labels, ",le=\"", bound, "\"} ",
                      below, "\n");
    }
    absl::StrAppend(&out, name, "_sum{", labels, "} ",
                    Seconds(absl::ToDoubleSeconds(entry.second.sum)), "\n",
                    name, "_count{", labels, "} ", entry.second.count, "\n");
  }
  return out;
}

}  // namespace kinora

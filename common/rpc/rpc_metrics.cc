#include "common/rpc/rpc_metrics.h"

#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "google/protobuf/descriptor.h"

namespace kinora {
namespace {

constexpr absl::string_view kOther = "other";

bool IsOfThisBuild(absl::string_view method) {
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  return pool->FindMethodByName(absl::StrReplaceAll(method, {{"/", "."}})) !=
         nullptr;
}

}  // namespace

void RpcMetrics::Count(absl::string_view method, absl::StatusCode code,
                       absl::Duration latency) {
  absl::ConsumePrefix(&method, "/");
  MutexLock lock(mu_);
  Method& counted = MethodOf(method);
  Counter*& calls = counted.calls[code];
  if (calls == nullptr) {
    calls = &registry_.GetCounter(
        "kinora_rpc_calls_total", "Calls served, by their status.",
        {{"method", counted.name}, {"code", absl::StatusCodeToString(code)}});
  }
  calls->Add();
  counted.latency->Observe(latency);
}

RpcMetrics::Method& RpcMetrics::MethodOf(absl::string_view method) {
  auto known = methods_.find(method);
  if (known == methods_.end() && !IsOfThisBuild(method)) {
    // Callers make up names without end.
    method = kOther;
    known = methods_.find(method);
  }
  if (known != methods_.end()) return known->second;
  Method& added = methods_[method];
  added.name = std::string(method);
  added.latency = &registry_.GetHistogram(
      "kinora_rpc_latency_seconds",
      "Time from a call's request to its status; of streams, their life.",
      kLatencySeconds, {{"method", added.name}});
  return added;
}

}  // namespace kinora

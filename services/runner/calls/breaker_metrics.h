// BreakerMetrics tells of the breakers of producers' targets, by the names of
// the producer table; all start at 0.
//
//   kinora_runner_breaker_open{producer,target}           1 from when it opens
//       until a call is answered, also while the target is probed; else 0
//   kinora_runner_breaker_opened_total{producer,target}   how often it opened
//       that was closed

#ifndef KINORA_SERVICES_RUNNER_CALLS_BREAKER_METRICS_H_
#define KINORA_SERVICES_RUNNER_CALLS_BREAKER_METRICS_H_

#include <cstddef>
#include <vector>

#include "common/telemetry/metrics.h"
#include "services/runner/calls/producer_table.h"
#include "services/runner/calls/producer_targets.h"

namespace kinora {

// Not thread-safe: it must hear of changes in their order.
class BreakerMetrics {
 public:
  // `registry` MUST outlive it; null to count nothing.
  BreakerMetrics(MetricsRegistry* registry, const ProducerConfigs& producers);

  // Both by their positions in the table. What is no change is no news.
  void Became(size_t producer, size_t target, TargetStatus status);

 private:
  struct Breaker {
    bool is_open = false;
    Gauge* open = nullptr;
    Counter* opened = nullptr;
  };

  std::vector<std::vector<Breaker>> breakers_;  // empty if nothing is counted
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_CALLS_BREAKER_METRICS_H_

#include "services/runner/calls/breaker_metrics.h"

#include <string>

namespace kinora {

BreakerMetrics::BreakerMetrics(MetricsRegistry* registry,
                               const ProducerConfigs& producers) {
  if (registry == nullptr) return;
  for (const auto& [name, config] : producers) {
    std::vector<Breaker>& targets = breakers_.emplace_back();
    for (const std::string& target : config.targets) {
      const MetricLabels labels = {{"producer", name}, {"target", target}};
      Breaker& breaker = targets.emplace_back();
      breaker.open = &registry->GetGauge(
          "kinora_runner_breaker_open",
          "1 while a producer's target is taken to be down.", labels);
      breaker.opened = &registry->GetCounter(
          "kinora_runner_breaker_opened_total",
          "How often a producer's target went down.", labels);
    }
  }
}

void BreakerMetrics::Became(size_t producer, size_t target,
                            TargetStatus status) {
  // One that the table does not have is not counted.
  if (producer >= breakers_.size()) return;
  Breaker& breaker = breakers_[producer][target];
  const bool is_open = status != TargetStatus::kClosed;
  if (breaker.is_open == is_open) return;
  breaker.is_open = is_open;
  breaker.open->Add(is_open ? 1 : -1);
  if (is_open) breaker.opened->Add();
}

}  // namespace kinora

#include "services/planner/planner_metrics.h"

namespace kinora {
namespace {

Counter& Plans(MetricsRegistry& registry, const char* outcome) {
  return registry.GetCounter("kinora_planner_plans_total",
                             "Plans asked for, by what came of it.",
                             {{"outcome", outcome}});
}

Counter& Graphs(MetricsRegistry& registry, const char* source) {
  return registry.GetCounter(
      "kinora_planner_graphs_total",
      "Graphs that plans were made on, by where they came from.",
      {{"source", source}});
}

}  // namespace

PlannerMetrics::PlannerMetrics(MetricsRegistry& registry)
    : plans(Plans(registry, "made")),
      failed_plans(Plans(registry, "failed")),
      plan_seconds(registry.GetHistogram("kinora_planner_plan_seconds",
                                         "Time to make and save a plan.",
                                         kLatencySeconds)),
      graphs_kept(Graphs(registry, "kept")),
      graphs_from_file(Graphs(registry, "file")),
      graphs_built(Graphs(registry, "built")) {}

}  // namespace kinora

// What a planner counts of itself.

#ifndef KINORA_SERVICES_PLANNER_PLANNER_METRICS_H_
#define KINORA_SERVICES_PLANNER_PLANNER_METRICS_H_

#include "common/telemetry/metrics.h"

namespace kinora {

// Thread-safe, as its members are. `registry` MUST outlive it.
struct PlannerMetrics {
  explicit PlannerMetrics(MetricsRegistry& registry);

  Counter& plans;         // made
  Counter& failed_plans;  // refused, or an error on the way
  Histogram& plan_seconds;
  // Where the graph of a plan came from.
  Counter& graphs_kept;       // in memory, from the plan before
  Counter& graphs_from_file;  // saved by a planner before
  Counter& graphs_built;      // from the manifest
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLANNER_METRICS_H_

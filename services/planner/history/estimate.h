// Estimates what carrying out a plan costs and how long it takes. Pure.
//
// Cost of one job: one range in one currency, from the least to the most that
// recorded calls of the producer and the declared price (of the blueprint's
// node, else of the producer) allow. The currency is that of the producer's
// latest recorded call, for that is what it bills by now; a declared price in
// another one does not count, nor do calls in others. Without recorded costs
// the declared price is all. What calls cost in other currencies is told of the
// producer, one range each, and added to nothing. The plan's low is that of the
// jobs that must run at their least; its high that of all jobs at their most.
// Retries are not in it. Currencies of different producers are never added to
// each other. A producer without a price counts as free and is listed.
//
// Time of one job: from the shortest to the longest recorded call of its
// producer. The plan takes at least the longest of
//   - the longest chain of jobs that must run,
//   - for each producer the sum of its must-run jobs, divided by the jobs it is
//     sent at once,
//   - the sum of all must-run jobs, divided by the jobs at once over all,
// each with the shortest times. It takes at most the sum of the longest chain
// of all jobs, every producer's sum divided by its jobs at once, and the sum
// over all divided by theirs, each with the longest times: a schedule that lets
// no place stand idle while a job is ready takes no longer. Producers without
// recorded times count as taking none and are listed.

#ifndef KINORA_SERVICES_PLANNER_HISTORY_ESTIMATE_H_
#define KINORA_SERVICES_PLANNER_HISTORY_ESTIMATE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "kinora/v1/plan.pb.h"
#include "kinora/v1/planner.pb.h"
#include "services/planner/history/call_history.h"

namespace kinora {

// What a node's jobs are billed by.
struct NodeTerms {
  std::string producer;
  // As the blueprint declares it.
  std::optional<v1::CostRange> price;
};

struct EstimateInputs {
  // In order; a job depends on earlier layers only.
  absl::Span<const v1::PlanLayer> layers;
  std::map<std::string, NodeTerms> nodes;  // by name
  std::map<std::string, v1::ProducerTerms> producers;
  uint32_t max_concurrency = 64;
  const CallHistory* history = nullptr;  // REQUIRED
};

// INVALID_ARGUMENT for a job of a node that is not given.
absl::StatusOr<v1::EstimatePlanResponse> Estimate(const EstimateInputs& inputs);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_ESTIMATE_H_

// The producers a runner can call, checked and with defaults filled in.

#ifndef KINORA_SERVICES_RUNNER_PRODUCER_TABLE_H_
#define KINORA_SERVICES_RUNNER_PRODUCER_TABLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "kinora/v1/config.pb.h"
#include "kinora/v1/types.pb.h"

namespace kinora {

struct ProducerConfig {
  std::string target;  // gRPC target, such as `dns:///127.0.0.1:7501`
  uint32_t concurrency = 4;
  uint32_t max_attempts = 3;
  absl::Duration attempt_timeout = absl::Minutes(10);
  v1::InDoubtPolicy in_doubt = v1::IN_DOUBT_POLICY_UNSPECIFIED;
  // What its jobs may cost in one run.
  std::optional<v1::Cost> budget;
};

// By the name blueprints use.
using ProducerConfigs = std::map<std::string, ProducerConfig>;

// INVALID_ARGUMENT naming the entry (`producers.narration.target`) and its
// value if a name is malformed, a target is missing, a number is out of range
// (concurrency to 10,000, attempts to 100, a timeout to one day), or a budget
// is no amount.
absl::StatusOr<ProducerConfigs> CheckProducerTable(
    const v1::ProducerTable& table);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_PRODUCER_TABLE_H_

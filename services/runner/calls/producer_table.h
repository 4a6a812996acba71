// The producers a runner can call, checked and with defaults filled in.

#ifndef KINORA_SERVICES_RUNNER_CALLS_PRODUCER_TABLE_H_
#define KINORA_SERVICES_RUNNER_CALLS_PRODUCER_TABLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "kinora/v1/config.pb.h"
#include "kinora/v1/types.pb.h"
#include "services/runner/calls/call_rate.h"
#include "services/runner/calls/producer_targets.h"

namespace kinora {

// INVALID_ARGUMENT naming the field (`prefix` before `rate_per_second`, ...)
// and its value unless at most one of the two rates is set, a burst only with
// one, and none is above 10,000; 0 is "not set".
absl::StatusOr<CallRateLimit> ReadCallRate(absl::string_view prefix,
                                           uint32_t per_second,
                                           uint32_t per_minute, uint32_t burst);

struct ProducerConfig {
  // gRPC targets, such as `dns:///127.0.0.1:7501`; one or more.
  std::vector<std::string> targets;
  uint32_t concurrency = 4;
  uint32_t max_attempts = 3;
  absl::Duration attempt_timeout = absl::Minutes(10);
  v1::InDoubtPolicy in_doubt = v1::IN_DOUBT_POLICY_UNSPECIFIED;
  // What its jobs may cost in one run.
  std::optional<v1::Cost> budget;
  CallRateLimit rate;
  BreakerOptions breaker;
  // What must not reach a log.
  std::vector<std::string> secrets;
  // It can read the files that the store's URLs lead to.
  bool references = false;
  // For all attempts at one job and the waits between them (job_time.h).
  absl::Duration job_timeout = absl::InfiniteDuration();
};

// By the name blueprints use.
using ProducerConfigs = std::map<std::string, ProducerConfig>;

// INVALID_ARGUMENT naming the entry (`producers.narration.target`) and its
// value if a name is malformed, there is no target or one twice, or a number is
// out of range (concurrency, rates and bursts to 10,000, attempts and failures
// to 100, times to one day), if a secret is too short to be one, if a budget is
// no amount, or if two fields exclude each other. Secrets are looked up in the
// environment; a variable that is not set has none.
absl::StatusOr<ProducerConfigs> CheckProducerTable(
    const v1::ProducerTable& table);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_CALLS_PRODUCER_TABLE_H_

#include "services/runner/producer_table.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/cost_text.h"
#include "common/ids.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr uint32_t kMaxConcurrency = 10'000;
constexpr uint32_t kMaxAttempts = 100;
constexpr uint32_t kMaxTimeoutSeconds = 24 * 60 * 60;

// The value, or `fallback` for 0, which means "not set".
absl::StatusOr<uint32_t> Limited(const std::string& field, uint32_t value,
                                 uint32_t fallback, uint32_t most) {
  if (value > most) {
    return InvalidField(field, absl::StrCat(value),
                        absl::StrCat("must be at most ", most));
  }
  return value == 0 ? fallback : value;
}

}  // namespace

absl::StatusOr<ProducerConfigs> CheckProducerTable(
    const v1::ProducerTable& table) {
  ProducerConfigs configs;
  // A protobuf map has no order; the first bad entry must be the same each
  // time.
  std::map<std::string, const v1::ProducerEntry*> entries;
  for (const auto& entry : table.producers()) {
    entries[entry.first] = &entry.second;
  }
  for (const auto& named : entries) {
    const std::string& name = named.first;
    const v1::ProducerEntry& entry = *named.second;
    const std::string field = absl::StrCat("producers.", name);
    KINORA_RETURN_IF_ERROR(ValidateName("producers", name));
    if (entry.target().empty()) {
      return InvalidField(absl::StrCat(field, ".target"), "",
                          "must name a gRPC target, such as "
                          "dns:///127.0.0.1:7501");
    }
    ProducerConfig config;
    config.target = entry.target();
    KINORA_ASSIGN_OR_RETURN(config.concurrency,
                            Limited(field + ".concurrency", entry.concurrency(),
                                    config.concurrency, kMaxConcurrency));
    KINORA_ASSIGN_OR_RETURN(
        config.max_attempts,
        Limited(field + ".max_attempts", entry.max_attempts(),
                config.max_attempts, kMaxAttempts));
    KINORA_ASSIGN_OR_RETURN(
        const uint32_t seconds,
        Limited(field + ".attempt_timeout_seconds",
                entry.attempt_timeout_seconds(), 600, kMaxTimeoutSeconds));
    config.attempt_timeout = absl::Seconds(seconds);
    config.in_doubt = entry.in_doubt();
    if (!entry.budget().empty()) {
      config.budget = ParseCostText(entry.budget());
      if (!config.budget.has_value()) {
        return InvalidField(field + ".budget", entry.budget(),
                            "must be an amount such as USD 12.50");
      }
    }
    configs.emplace(name, std::move(config));
  }
  return configs;
}

}  // namespace kinora

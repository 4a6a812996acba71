#include "services/runner/calls/producer_table.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/config_file.h"
#include "common/cost_text.h"
#include "common/ids.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "common/telemetry/redaction.h"

namespace kinora {
namespace {

constexpr uint32_t kMaxConcurrency = 10'000;
constexpr uint32_t kMaxAttempts = 100;
constexpr uint32_t kMaxRate = 10'000;
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

absl::StatusOr<absl::Duration> Seconds(const std::string& field, uint32_t value,
                                       absl::Duration fallback, uint32_t most) {
  KINORA_ASSIGN_OR_RETURN(
      const uint32_t seconds,
      Limited(field, value,
              static_cast<uint32_t>(absl::ToInt64Seconds(fallback)), most));
  return absl::Seconds(seconds);
}

absl::StatusOr<std::vector<std::string>> TargetsOf(
    const std::string& field, const v1::ProducerEntry& entry) {
  if (!entry.target().empty()) {
    if (entry.targets().empty())
      return std::vector<std::string>{entry.target()};
    return InvalidField(field + ".targets", entry.targets(0),
                        "a producer has either `target` or `targets`");
  }
  if (entry.targets().empty()) {
    return InvalidField(field + ".target", "",
                        "must name a gRPC target, such as "
                        "dns:///127.0.0.1:7501");
  }
  if (!entry.run().empty()) {
    return InvalidField(field + ".targets", entry.targets(0),
                        "a producer that is started by `run` has one `target`");
  }
  std::set<std::string> seen;
  for (int i = 0; i < entry.targets_size(); ++i) {
    const std::string& target = entry.targets(i);
    if (target.empty() || !seen.insert(target).second) {
      return InvalidField(
          absl::StrCat(field, ".targets[", i, "]"), target,
          target.empty() ? "must name a gRPC target" : "names a target twice");
    }
  }
  return std::vector<std::string>(entry.targets().begin(),
                                  entry.targets().end());
}

absl::StatusOr<std::vector<std::string>> SecretsOf(
    const std::string& field, const v1::ProducerEntry& entry) {
  std::vector<std::string> secrets;
  for (int i = 0; i < entry.redact_size(); ++i) {
    std::string secret = entry.redact(i);
    const bool is_variable = absl::StartsWith(secret, "$");
    if (is_variable) {
      std::optional<std::string> value = GetEnvironment(secret.substr(1));
      if (!value.has_value() || value->empty()) {
        // Another machine may have it; or the name is wrong.
        LogWarning("a variable to redact is not set",
                   {{"field", absl::StrCat(field, ".redact[", i, "]")},
                    {"variable", secret.substr(1)}});
        continue;
      }
      secret = *std::move(value);
    }
    if (secret.size() < kShortestSecret) {
      // The value of a variable is told to nobody.
      return InvalidField(absl::StrCat(field, ".redact[", i, "]"),
                          entry.redact(i),
                          absl::StrCat("is shorter than ", kShortestSecret,
                                       " characters, which would redact "
                                       "ordinary text"));
    }
    secrets.push_back(std::move(secret));
  }
  return secrets;
}

absl::Status ReadBreaker(const std::string& field,
                         const v1::BreakerConfig& breaker,
                         BreakerOptions* options) {
  KINORA_ASSIGN_OR_RETURN(options->failures,
                          Limited(field + ".failures", breaker.failures(),
                                  options->failures, kMaxAttempts));
  KINORA_ASSIGN_OR_RETURN(
      options->open, Seconds(field + ".open_seconds", breaker.open_seconds(),
                             options->open, kMaxTimeoutSeconds));
  KINORA_ASSIGN_OR_RETURN(
      options->longest,
      Seconds(field + ".longest_open_seconds", breaker.longest_open_seconds(),
              std::max(options->longest, options->open), kMaxTimeoutSeconds));
  KINORA_ASSIGN_OR_RETURN(
      options->patience,
      Seconds(field + ".wait_seconds", breaker.wait_seconds(),
              options->patience, kMaxTimeoutSeconds));
  if (options->longest < options->open) {
    return InvalidField(field + ".longest_open_seconds",
                        absl::StrCat(breaker.longest_open_seconds()),
                        "must be at least open_seconds");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CallRateLimit> ReadCallRate(absl::string_view prefix,
                                           uint32_t per_second,
                                           uint32_t per_minute,
                                           uint32_t burst) {
  CallRateLimit limit;
  const auto field = [prefix](absl::string_view name) {
    return absl::StrCat(prefix, name);
  };
  KINORA_RETURN_IF_ERROR(
      Limited(field("rate_per_second"), per_second, 0, kMaxRate).status());
  KINORA_RETURN_IF_ERROR(
      Limited(field("rate_per_minute"), per_minute, 0, kMaxRate).status());
  KINORA_ASSIGN_OR_RETURN(limit.burst,
                          Limited(field("rate_burst"), burst, 1, kMaxRate));
  if (per_second > 0 && per_minute > 0) {
    return InvalidField(field("rate_per_minute"), absl::StrCat(per_minute),
                        "a rate is either per second or per minute");
  }
  if (per_second == 0 && per_minute == 0) {
    if (burst == 0) return limit;
    return InvalidField(field("rate_burst"), absl::StrCat(burst),
                        "there is no rate");
  }
  // Rounded up: never more often than asked for.
  const int64_t period = per_second > 0 ? 1'000'000'000 : 60'000'000'000;
  const int64_t calls = per_second > 0 ? per_second : per_minute;
  limit.interval = absl::Nanoseconds((period + calls - 1) / calls);
  return limit;
}

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
    ProducerConfig config;
    KINORA_ASSIGN_OR_RETURN(config.targets, TargetsOf(field, entry));
    KINORA_ASSIGN_OR_RETURN(config.concurrency,
                            Limited(field + ".concurrency", entry.concurrency(),
                                    config.concurrency, kMaxConcurrency));
    KINORA_ASSIGN_OR_RETURN(
        config.max_attempts,
        Limited(field + ".max_attempts", entry.max_attempts(),
                config.max_attempts, kMaxAttempts));
    KINORA_ASSIGN_OR_RETURN(
        config.attempt_timeout,
        Seconds(field + ".attempt_timeout_seconds",
                entry.attempt_timeout_seconds(), config.attempt_timeout,
                kMaxTimeoutSeconds));
    KINORA_ASSIGN_OR_RETURN(
        const uint32_t job_timeout,
        Limited(field + ".job_timeout_seconds", entry.job_timeout_seconds(), 0,
                kMaxTimeoutSeconds));
    if (job_timeout > 0) config.job_timeout = absl::Seconds(job_timeout);
    KINORA_ASSIGN_OR_RETURN(
        config.rate, ReadCallRate(field + ".", entry.rate_per_second(),
                                  entry.rate_per_minute(), entry.rate_burst()));
    KINORA_ASSIGN_OR_RETURN(config.secrets, SecretsOf(field, entry));
    KINORA_RETURN_IF_ERROR(
        ReadBreaker(field + ".breaker", entry.breaker(), &config.breaker));
    config.in_doubt = entry.in_doubt();
    config.references = entry.references();
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

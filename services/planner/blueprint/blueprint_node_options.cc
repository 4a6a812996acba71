// The part of the parser that reads what a node says of its producer and of
// how its jobs are run.

#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "common/json/canonical_json.h"
#include "common/status.h"
#include "services/planner/blueprint/blueprint_parser.h"

namespace kinora {
namespace {

constexpr size_t kMaxSaltBytes = 256;
// Of one job, in units of its currency.
constexpr double kMaxPrice = 1e9;

// As in the runner's producer table.
constexpr double kMaxConcurrency = 10'000;
constexpr double kMaxAttempts = 100;
constexpr double kMaxTimeoutSeconds = 24 * 60 * 60;
constexpr double kMaxPriority = 1'000;

bool IsCurrency(absl::string_view text) {
  if (text.size() != 3) return false;
  for (char c : text) {
    if (!absl::ascii_isupper(c)) return false;
  }
  return true;
}

}  // namespace

absl::Status BlueprintParser::ParseProducer(const YamlEntry& entry,
                                            const std::string& path,
                                            NodeDeclaration* node) {
  const YamlNode* producer = entry.value->Find("producer");
  if (producer == nullptr) {
    return Error(entry.line, path, "producer is missing");
  }
  std::string here = absl::StrCat(path, ".producer");
  int line = producer->line;
  std::string versions;
  bool has_versions = false;
  if (producer->kind == YamlNode::Kind::kMap) {
    KINORA_RETURN_IF_ERROR(ExpectMap(*producer, here, {"name", "version"}));
    const YamlNode* name = producer->Find("name");
    if (name == nullptr) return Error(line, here, "name is missing");
    KINORA_ASSIGN_OR_RETURN(node->producer,
                            Text(*name, absl::StrCat(here, ".name")));
    if (const YamlNode* version = producer->Find("version")) {
      has_versions = true;
      line = version->line;
      KINORA_ASSIGN_OR_RETURN(versions,
                              Text(*version, absl::StrCat(here, ".version")));
    }
  } else {
    KINORA_ASSIGN_OR_RETURN(node->producer, Text(*producer, here));
    size_t at = node->producer.find('@');
    if (at != std::string::npos) {
      has_versions = true;
      versions = node->producer.substr(at + 1);
      node->producer.resize(at);
    }
  }
  node->producer_line = line;
  if (!IsProducerName(node->producer)) {
    return Error(producer->line, here,
                 absl::StrCat("\"", ClipValue(node->producer),
                              "\" is not a producer's name ([A-Za-z0-9._-], "
                              "at most ",
                              kMaxProducerBytes, " bytes)"));
  }
  if (!has_versions) return absl::OkStatus();
  absl::StatusOr<VersionRange> range = VersionRange::Parse(versions);
  if (!range.ok()) return Error(line, here, range.status().message());
  node->producer_versions = *std::move(range);
  return absl::OkStatus();
}

absl::Status BlueprintParser::ParseSettings(const YamlNode& map,
                                            const std::string& path,
                                            NodeDeclaration* node) {
  const YamlNode* settings = map.Find("settings");
  if (settings != nullptr && settings->kind != YamlNode::Kind::kNull) {
    std::string here = absl::StrCat(path, ".settings");
    if (settings->kind != YamlNode::Kind::kMap) {
      return Error(
          settings->line, here,
          absl::StrCat("must be a map, got ", YamlKindName(settings->kind)));
    }
    absl::StatusOr<JsonValue> value = ToJson(*settings);
    if (!value.ok()) {
      return Error(settings->line, here, value.status().message());
    }
    node->settings_json = CanonicalJson(*value);
    if (node->settings_json.size() > kMaxBlueprintTextBytes) {
      return Error(settings->line, here,
                   absl::StrCat("has more than ", kMaxBlueprintTextBytes,
                                " bytes with its aliases written out"));
    }
  }
  node->settings_hash = Sha256Of(node->settings_json);
  return absl::OkStatus();
}

absl::Status BlueprintParser::ParseSalt(const YamlNode& map,
                                        const std::string& path,
                                        NodeDeclaration* node) {
  const YamlNode* salt = map.Find("salt");
  if (salt == nullptr) return absl::OkStatus();
  std::string here = absl::StrCat(path, ".salt");
  KINORA_ASSIGN_OR_RETURN(node->salt, Text(*salt, here));
  if (node->salt.size() <= kMaxSaltBytes) return absl::OkStatus();
  return Error(salt->line, here,
               absl::StrCat("has ", node->salt.size(), " bytes, more than ",
                            kMaxSaltBytes));
}

absl::Status BlueprintParser::ParseLimits(const YamlNode& map,
                                          const std::string& path,
                                          NodeDeclaration* node) {
  const YamlNode* limits = map.Find("limits");
  if (limits == nullptr) return absl::OkStatus();
  std::string here = absl::StrCat(path, ".limits");
  KINORA_RETURN_IF_ERROR(
      ExpectMap(*limits, here,
                {"concurrency", "max_attempts", "attempt_timeout_seconds",
                 "job_timeout_seconds", "priority"}));
  auto read = [&](absl::string_view key, double most, uint32_t* out) {
    const YamlNode* value = limits->Find(key);
    if (value == nullptr) return absl::OkStatus();
    std::string at = absl::StrCat(here, ".", key);
    absl::StatusOr<double> number = Number(*value, at);
    if (!number.ok()) return number.status();
    if (*number < 1 || *number > most || *number != std::floor(*number)) {
      return Error(value->line, at,
                   absl::StrCat("must be an integer from 1 to ", most, ", got ",
                                ClipValue(value->scalar)));
    }
    *out = static_cast<uint32_t>(*number);
    return absl::OkStatus();
  };
  KINORA_RETURN_IF_ERROR(
      read("concurrency", kMaxConcurrency, &node->limits.concurrency));
  KINORA_RETURN_IF_ERROR(
      read("max_attempts", kMaxAttempts, &node->limits.max_attempts));
  KINORA_RETURN_IF_ERROR(read("attempt_timeout_seconds", kMaxTimeoutSeconds,
                              &node->limits.attempt_timeout_seconds));
  KINORA_RETURN_IF_ERROR(read("job_timeout_seconds", kMaxTimeoutSeconds,
                              &node->limits.job_timeout_seconds));
  return read("priority", kMaxPriority, &node->limits.priority);
}

absl::Status BlueprintParser::ParsePrice(const YamlNode& map,
                                         const std::string& path,
                                         NodeDeclaration* node) {
  const YamlNode* price = map.Find("price");
  if (price == nullptr) return absl::OkStatus();
  std::string here = absl::StrCat(path, ".price");
  KINORA_RETURN_IF_ERROR(ExpectMap(*price, here, {"min", "max", "currency"}));
  PriceDeclaration declared;
  for (absl::string_view key : {"min", "max"}) {
    const YamlNode* value = price->Find(key);
    std::string at = absl::StrCat(here, ".", key);
    if (value == nullptr) {
      return Error(price->line, here,
                   absl::StrCat(key, " is missing, such as 0.05"));
    }
    KINORA_ASSIGN_OR_RETURN(double amount, Number(*value, at));
    if (amount < 0 || amount > kMaxPrice) {
      return Error(value->line, at,
                   absl::StrCat("must be from 0 to ", kMaxPrice, ", got ",
                                ClipValue(value->scalar)));
    }
    (key == "min" ? declared.min_micros : declared.max_micros) =
        std::llround(amount * 1e6);
  }
  const YamlNode* currency = price->Find("currency");
  if (currency == nullptr) {
    return Error(price->line, here, "currency is missing, such as USD");
  }
  std::string at = absl::StrCat(here, ".currency");
  KINORA_ASSIGN_OR_RETURN(declared.currency, Text(*currency, at));
  if (!IsCurrency(declared.currency)) {
    return Error(currency->line, at,
                 absl::StrCat("\"", ClipValue(declared.currency),
                              "\" is not a currency such as USD"));
  }
  if (declared.min_micros > declared.max_micros) {
    return Error(price->line, here,
                 absl::StrCat("min ", ClipValue(price->Find("min")->scalar),
                              " is greater than max ",
                              ClipValue(price->Find("max")->scalar)));
  }
  node->price = std::move(declared);
  return absl::OkStatus();
}

absl::StatusOr<double> BlueprintParser::Number(const YamlNode& node,
                                               absl::string_view path) const {
  absl::StatusOr<JsonValue> value = ToJson(node);
  if (value.ok() && value->is_number()) return value->number_value();
  return Error(
      node.line, path,
      absl::StrCat("must be a number, got ",
                   node.kind == YamlNode::Kind::kScalar
                       ? absl::StrCat("\"", ClipValue(node.scalar), "\"")
                       : std::string(YamlKindName(node.kind))));
}

}  // namespace kinora

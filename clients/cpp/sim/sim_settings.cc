#include "clients/cpp/sim/sim_settings.h"

#include <array>
#include <cmath>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/json/proto_json.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr std::array<absl::string_view, 4> kRetryableCodes = {
    "UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED"};
constexpr std::array<absl::string_view, 5> kFinalCodes = {
    "INVALID_ARGUMENT", "FAILED_PRECONDITION", "PERMISSION_DENIED", "NOT_FOUND",
    "INTERNAL"};

// In the order of v1::QuestionKind.
constexpr std::array<absl::string_view, 5> kQuestionKinds = {
    "text", "confirm", "choice", "multiple", "json"};

// A simulated output larger than this is a typing error.
constexpr int64_t kMaxBytes = int64_t{1} << 40;
constexpr int64_t kMaxDelayMs = int64_t{24} * 3600 * 1000;
constexpr int64_t kMaxCount = 1000000;

absl::Status Wrong(absl::string_view name, const JsonValue& value,
                   absl::string_view expected) {
  return InvalidField(absl::StrCat("settings.", name), CanonicalJson(value),
                      absl::StrCat("expected ", expected));
}

absl::Status ReadCount(const JsonValue& settings, absl::string_view name,
                       int64_t max, int64_t* out) {
  const JsonValue* value = settings.Find(name);
  if (value == nullptr) return absl::OkStatus();
  const std::optional<int64_t> count = value->integer_value();
  if (!count.has_value() || *count < 0 || *count > max) {
    return Wrong(name, *value, absl::StrCat("an integer from 0 to ", max));
  }
  *out = *count;
  return absl::OkStatus();
}

absl::Status ReadText(const JsonValue& settings, absl::string_view name,
                      std::string* out) {
  const JsonValue* value = settings.Find(name);
  if (value == nullptr) return absl::OkStatus();
  if (!value->is_string()) return Wrong(name, *value, "a string");
  *out = value->string_value();
  return absl::OkStatus();
}

absl::Status ReadCost(const JsonValue& settings, int64_t* micros) {
  const JsonValue* value = settings.Find("cost");
  if (value == nullptr) return absl::OkStatus();
  constexpr double kMaxCost = 1e9;
  if (!value->is_number() || value->number_value() < 0 ||
      value->number_value() > kMaxCost) {
    return Wrong("cost", *value, "a number from 0 to 1e9");
  }
  *micros = std::llround(value->number_value() * 1e6);
  return absl::OkStatus();
}

absl::Status ReadFailCode(const JsonValue& settings, std::string* code) {
  KINORA_RETURN_IF_ERROR(ReadText(settings, "fail_code", code));
  if (IsRetryableCode(*code) || absl::c_linear_search(kFinalCodes, *code)) {
    return absl::OkStatus();
  }
  return Wrong("fail_code", JsonValue(*code),
               absl::StrCat("one of ", absl::StrJoin(kRetryableCodes, ", "),
                            ", ", absl::StrJoin(kFinalCodes, ", ")));
}

absl::Status ReadQuestionKind(const JsonValue& settings,
                              v1::QuestionKind* kind) {
  std::string word = "text";
  KINORA_RETURN_IF_ERROR(ReadText(settings, "question_kind", &word));
  for (size_t i = 0; i < kQuestionKinds.size(); ++i) {
    if (word != kQuestionKinds[i]) continue;
    *kind = static_cast<v1::QuestionKind>(v1::QUESTION_KIND_TEXT + i);
    return absl::OkStatus();
  }
  return Wrong("question_kind", JsonValue(word),
               absl::StrCat("one of ", absl::StrJoin(kQuestionKinds, ", ")));
}

absl::Status ReadTexts(const JsonValue& settings, absl::string_view name,
                       std::vector<std::string>* out) {
  const JsonValue* value = settings.Find(name);
  if (value == nullptr) return absl::OkStatus();
  if (!value->is_array()) return Wrong(name, *value, "an array of strings");
  for (const JsonValue& text : value->array()) {
    if (!text.is_string()) return Wrong(name, *value, "an array of strings");
    out->push_back(text.string_value());
  }
  return absl::OkStatus();
}

absl::Status ReadQuestionTerms(const JsonValue& settings, v1::Question* terms) {
  const JsonValue* value = settings.Find("question_terms");
  if (value == nullptr) return absl::OkStatus();
  return Annotate(JsonToProto(*value, terms), "settings.question_terms");
}

}  // namespace

bool IsRetryableCode(absl::string_view code) {
  return absl::c_linear_search(kRetryableCodes, code);
}

absl::StatusOr<SimSettings> ParseSimSettings(absl::string_view settings_json) {
  SimSettings settings;
  if (settings_json.empty()) return settings;
  absl::StatusOr<JsonValue> parsed = ParseJson(settings_json);
  if (!parsed.ok()) return Annotate(parsed.status(), "settings_json");
  const JsonValue& json = *parsed;
  if (!json.is_object()) {
    return InvalidField("settings_json", settings_json, "expected an object");
  }
  if (json.Find("bytes") != nullptr) {
    KINORA_RETURN_IF_ERROR(
        ReadCount(json, "bytes", kMaxBytes, &settings.bytes.emplace()));
  }
  if (json.Find("text") != nullptr) {
    KINORA_RETURN_IF_ERROR(ReadText(json, "text", &settings.text.emplace()));
  }
  KINORA_RETURN_IF_ERROR(
      ReadCount(json, "delay_ms", kMaxDelayMs, &settings.delay_ms));
  if (json.Find("slow_attempts") != nullptr) {
    KINORA_RETURN_IF_ERROR(ReadCount(json, "slow_attempts", kMaxCount,
                                     &settings.slow_attempts.emplace()));
  }
  KINORA_RETURN_IF_ERROR(
      ReadCount(json, "fail_attempts", kMaxCount, &settings.fail_attempts));
  KINORA_RETURN_IF_ERROR(ReadFailCode(json, &settings.fail_code));
  KINORA_RETURN_IF_ERROR(
      ReadCount(json, "retry_after_ms", kMaxDelayMs, &settings.retry_after_ms));
  KINORA_RETURN_IF_ERROR(
      ReadCount(json, "lost_attempts", kMaxCount, &settings.lost_attempts));
  KINORA_RETURN_IF_ERROR(ReadText(json, "question", &settings.question));
  KINORA_RETURN_IF_ERROR(ReadQuestionKind(json, &settings.question_kind));
  KINORA_RETURN_IF_ERROR(
      ReadTexts(json, "question_options", &settings.question_options));
  KINORA_RETURN_IF_ERROR(ReadQuestionTerms(json, &settings.question_terms));
  KINORA_RETURN_IF_ERROR(
      ReadCount(json, "log_lines", kMaxCount, &settings.log_lines));
  KINORA_RETURN_IF_ERROR(ReadCost(json, &settings.cost_micros));
  KINORA_RETURN_IF_ERROR(ReadText(json, "currency", &settings.currency));
  KINORA_RETURN_IF_ERROR(
      ReadText(json, "readable_path", &settings.readable_path));
  KINORA_RETURN_IF_ERROR(ReadText(json, "salt", &settings.salt));
  return settings;
}

absl::string_view SimSettingsSchema() {
  return R"({"type":"object","properties":{)"
         R"("bytes":{"type":"integer","minimum":0},)"
         R"("cost":{"type":"number","minimum":0},)"
         R"("currency":{"type":"string"},)"
         R"("delay_ms":{"type":"integer","minimum":0},)"
         R"("fail_attempts":{"type":"integer","minimum":0},)"
         R"("fail_code":{"type":"string"},)"
         R"("log_lines":{"type":"integer","minimum":0},)"
         R"("lost_attempts":{"type":"integer","minimum":0},)"
         R"("question":{"type":"string"},)"
         R"("question_kind":{"type":"string"},)"
         R"("question_options":{"type":"array","items":{"type":"string"}},)"
         R"("question_terms":{"type":"object"},)"
         R"("readable_path":{"type":"string"},)"
         R"("retry_after_ms":{"type":"integer","minimum":0},)"
         R"("salt":{"type":"string"},)"
         R"("slow_attempts":{"type":"integer","minimum":0},)"
         R"("text":{"type":"string"}}})";
}

}  // namespace kinora

#include "services/runner/record/told_members.h"

#include <utility>

#include "common/rfc3339.h"
#include "common/utf8.h"

namespace kinora {
namespace {

// The end of the year 9999.
constexpr int64_t kLastMs = 253'402'300'799'999;

std::string TimeText(int64_t ms) {
  std::string text;
  AppendRfc3339(ms / 1000, static_cast<int32_t>(ms % 1000) * 1'000'000, &text);
  return text;
}

}  // namespace

std::string TimeText(const google::protobuf::Timestamp& time) {
  std::string text;
  AppendRfc3339(time.seconds(), time.nanos(), &text);
  return text;
}

void AddTime(JsonObject& object, absl::string_view key, int64_t ms) {
  // Whoever reports from outside may say anything.
  if (ms > 0 && ms <= kLastMs) object.Add(key, TimeText(ms));
}

void AddText(JsonObject& object, absl::string_view key,
             absl::string_view text) {
  if (!text.empty() && IsValidUtf8(text)) object.Add(key, text);
}

JsonObject ObjectIn(const std::string& text) {
  absl::StatusOr<JsonValue> json = ParseJson(text.empty() ? "{}" : text);
  if (!json.ok() || !json->is_object()) return {};
  return std::move(json->object());
}

}  // namespace kinora

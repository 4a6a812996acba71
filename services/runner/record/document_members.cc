#include "services/runner/record/document_members.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

#include "common/rfc3339.h"
#include "common/utf8.h"

namespace kinora {

absl::string_view TextOrEmpty(const JsonValue& object, absl::string_view key) {
  return TextOf(object, key).value_or(absl::string_view());
}

absl::Span<const JsonValue> ElementsOf(const JsonValue& object,
                                       absl::string_view key) {
  const JsonValue* value = MemberOf(object, key);
  if (value == nullptr || !value->is_array()) return {};
  return value->array();
}

JsonArray& ArrayIn(JsonValue& object, absl::string_view key) {
  const JsonValue* value = object.Find(key);
  if (value == nullptr || !value->is_array()) {
    object.object().Set(key, JsonArray());
  }
  return object.object().Find(key)->array();
}

absl::string_view FirstCharacters(absl::string_view text, size_t count) {
  size_t bytes = 0;
  for (; count > 0 && bytes < text.size(); --count) {
    bytes += std::max<size_t>(1, Utf8CharLength(text.substr(bytes)));
  }
  return text.substr(0, bytes);
}

void SetIfAny(JsonObject& object, absl::string_view key,
              const JsonValue* value) {
  if (value != nullptr && !value->is_null()) object.Set(key, *value);
}

std::string NewDocumentId(absl::string_view prefix, RunIdGenerator& ids) {
  const std::string id = ids.Next();
  return absl::StrCat(prefix, "-", absl::StripPrefix(id, "run-"));
}

std::string NowText(Clock& clock) {
  const int64_t millis = NowMillis(clock);
  std::string text;
  AppendRfc3339(millis / 1000, static_cast<int32_t>(millis % 1000) * 1'000'000,
                &text);
  return text;
}

}  // namespace kinora

// Reads members of a JSON object that anybody may have written: a member that
// is missing, null or of another type is nullopt.

#ifndef KINORA_SERVICES_RUNNER_LEDGER_JSON_MEMBERS_H_
#define KINORA_SERVICES_RUNNER_LEDGER_JSON_MEMBERS_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

#include "common/json/json.h"
#include "common/json/json_writer.h"
#include "services/runner/ledger/trimmed_text.h"

namespace kinora {

// All take an `object` of any type; what is no object has no members.

// Null also if the member is null.
inline const JsonValue* MemberOf(const JsonValue& object,
                                 absl::string_view key) {
  const JsonValue* value = object.Find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

// Valid as long as `object`.
inline std::optional<absl::string_view> TextOf(const JsonValue& object,
                                               absl::string_view key) {
  const JsonValue* value = MemberOf(object, key);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return value->string_value();
}

inline std::optional<std::string> StringOf(const JsonValue& object,
                                           absl::string_view key) {
  const std::optional<absl::string_view> text = TextOf(object, key);
  if (!text.has_value()) return std::nullopt;
  return std::string(*text);
}

// Trimmed; nothing if it is blank.
inline std::optional<std::string> TrimmedOf(const JsonValue& object,
                                            absl::string_view key) {
  const std::optional<absl::string_view> text = TextOf(object, key);
  if (!text.has_value() || IsBlankText(*text)) return std::nullopt;
  return std::string(TrimmedText(*text));
}

inline std::optional<double> NumberOf(const JsonValue& object,
                                      absl::string_view key) {
  const JsonValue* value = MemberOf(object, key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  return value->number_value();
}

// True only for true.
inline bool FlagOf(const JsonValue& object, absl::string_view key) {
  const JsonValue* value = MemberOf(object, key);
  return value != nullptr && value->is_bool() && value->bool_value();
}

// Any value, as JSON text.
inline std::optional<std::string> JsonOf(const JsonValue& object,
                                         absl::string_view key) {
  const JsonValue* value = MemberOf(object, key);
  if (value == nullptr) return std::nullopt;
  return ToJson(*value);
}

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_LEDGER_JSON_MEMBERS_H_

// The types an input may have, and the one byte form of a value of each:
//
//   text                               text/plain, the UTF-8 bytes
//   integer, number, boolean, json     application/json, canonical JSON
//   file                               any bytes under any media type
//
// The hash of these bytes is the value's hash, whether they are kept inline or
// as a blob.

#ifndef KINORA_SERVICES_PLANNER_BLUEPRINT_INPUT_TYPE_H_
#define KINORA_SERVICES_PLANNER_BLUEPRINT_INPUT_TYPE_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/json/json.h"
#include "kinora/v1/types.pb.h"

namespace kinora {

enum class InputType { kText, kInteger, kNumber, kBoolean, kJson, kFile };

// JSON that is given as a file is read whole where it is checked.
inline constexpr int64_t kMaxJsonInputBytes = int64_t{16} << 20;

// "text", "integer", ...
absl::string_view InputTypeName(InputType type);
std::optional<InputType> ParseInputType(absl::string_view name);

// What a value must be.
struct InputRule {
  InputType type = InputType::kText;
  // Bounds of an integer or number, inclusive.
  std::optional<double> minimum;
  std::optional<double> maximum;
};

// The canonical inline content of a JSON value, with its hash.
// INVALID_ARGUMENT says what the value is and what it must be.
absl::StatusOr<v1::Content> ContentFromJson(const InputRule& rule,
                                            const JsonValue& value);

// The canonical form of a content that a client sent: JSON inline, text
// inline, or a blob. The bytes of a blob are not looked at, see
// MovieReader::CheckBytes(). INVALID_ARGUMENT as above.
absl::StatusOr<v1::Content> CanonicalContent(const InputRule& rule,
                                             const v1::Content& content);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_BLUEPRINT_INPUT_TYPE_H_

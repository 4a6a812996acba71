// JSON pointers (RFC 6901): where a value stands in a document.

#ifndef KINORA_COMMON_JSON_JSON_POINTER_H_
#define KINORA_COMMON_JSON_JSON_POINTER_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/json/json.h"

namespace kinora {

inline constexpr size_t kMaxJsonPointerBytes = 1024;

// OK for "" (the whole document) or `/shots/0/prompt`, with `~0` for `~` and
// `~1` for `/`. INVALID_ARGUMENT says what is wrong.
absl::Status ValidateJsonPointer(absl::string_view pointer);

// The value; null if there is none. Valid as long as `document`.
const JsonValue* FindByPointer(const JsonValue& document,
                               absl::string_view pointer);

// The step to that member, as a pointer has it: `/a~1b` for `a/b`.
std::string JsonPointerStep(absl::string_view name);

}  // namespace kinora

#endif  // KINORA_COMMON_JSON_JSON_POINTER_H_

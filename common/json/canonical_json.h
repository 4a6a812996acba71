// Canonical JSON after RFC 8785 (JCS): the one byte form of a value that is
// hashed. Keys in the order of their UTF-16 code units, numbers as ECMAScript
// writes them, the shortest escapes, no white space.

#ifndef KINORA_COMMON_JSON_CANONICAL_JSON_H_
#define KINORA_COMMON_JSON_CANONICAL_JSON_H_

#include <string>

#include "absl/strings/string_view.h"

#include "common/json/json.h"

namespace kinora {

// Equal values give equal bytes; parsing the bytes gives an equal value. Never
// fails: what JCS cannot hold (NaN, an infinity) a JsonValue cannot hold
// either.
std::string CanonicalJson(const JsonValue& value);

// True if `text` is the canonical JSON of some value within the limits of
// ParseJson(). For the usual text one pass without an allocation.
bool IsCanonicalJson(absl::string_view text);

}  // namespace kinora

#endif  // KINORA_COMMON_JSON_CANONICAL_JSON_H_

// Canonical JSON after RFC 8785 (JCS): the one byte form of a value that is
// hashed. Keys in the order of their UTF-16 code units, numbers as ECMAScript
// writes them, the shortest escapes, no white space.

#ifndef KINORA_COMMON_CANONICAL_JSON_H_
#define KINORA_COMMON_CANONICAL_JSON_H_

#include <string>

#include "common/json.h"

namespace kinora {

// Equal values give equal bytes; parsing the bytes gives an equal value. Never
// fails: what JCS cannot hold (NaN, an infinity) a JsonValue cannot hold
// either.
std::string CanonicalJson(const JsonValue& value);

}  // namespace kinora

#endif  // KINORA_COMMON_CANONICAL_JSON_H_

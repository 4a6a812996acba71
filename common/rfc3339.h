// The text form of times in files: RFC 3339 in UTC with a fraction of as many
// digits as it needs, such as `2026-01-02T03:04:05.678Z`. For lines that are
// written and read often; abseil's formatter takes ten times as long.

#ifndef KINORA_COMMON_RFC3339_H_
#define KINORA_COMMON_RFC3339_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace kinora {

// Appends the time that lies `nanos` after `seconds` since 1970. REQUIRES: a
// year of 0 to 9999, and nanos of 0 to 999,999,999.
void AppendRfc3339(int64_t seconds, int32_t nanos, std::string* out);

// Reads what AppendRfc3339() writes, and nothing else: false for any other
// spelling of a time, such as one with an offset.
bool ParseRfc3339(absl::string_view text, int64_t* seconds, int32_t* nanos);

}  // namespace kinora

#endif  // KINORA_COMMON_RFC3339_H_

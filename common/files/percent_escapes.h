// Percent escapes, as URLs have them (RFC 3986): `%20` is a space.

#ifndef KINORA_COMMON_FILES_PERCENT_ESCAPES_H_
#define KINORA_COMMON_FILES_PERCENT_ESCAPES_H_

#include <string>

#include "absl/strings/string_view.h"

namespace kinora {

// Letters, digits, `-`, `.`, `_`, `~` and what is in `plain` stay; every other
// byte becomes an escape.
std::string PercentEncoded(absl::string_view bytes, absl::string_view plain);

// `%25` is `%`; what is no escape stays.
std::string PercentDecoded(absl::string_view text);

}  // namespace kinora

#endif  // KINORA_COMMON_FILES_PERCENT_ESCAPES_H_

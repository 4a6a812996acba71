// The scan that reading and writing JSON text have in common.

#ifndef KINORA_COMMON_JSON_JSON_TEXT_H_
#define KINORA_COMMON_JSON_JSON_TEXT_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace kinora {

// Length of the longest prefix of `text` that stands in a JSON string as it
// is and needs no look at its encoding: printable ASCII but '"' and '\'.
size_t PlainJsonTextPrefix(absl::string_view text);

}  // namespace kinora

#endif  // KINORA_COMMON_JSON_JSON_TEXT_H_

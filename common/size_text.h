// Sizes in bytes as people write them.

#ifndef KINORA_COMMON_SIZE_TEXT_H_
#define KINORA_COMMON_SIZE_TEXT_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace kinora {

// The bytes of "1048576", "1MiB" or "1.5 GiB"; B, KiB, MiB, GiB and TiB. None
// if it is something else, negative, or beyond 2^53.
std::optional<int64_t> ParseSizeText(absl::string_view text);

}  // namespace kinora

#endif  // KINORA_COMMON_SIZE_TEXT_H_

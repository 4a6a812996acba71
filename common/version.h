// The version of this build, as CHANGELOG.md counts them.

#ifndef KINORA_COMMON_VERSION_H_
#define KINORA_COMMON_VERSION_H_

#include "absl/strings/string_view.h"

namespace kinora {

inline constexpr absl::string_view kKinoraVersion = "0.1.0";

}  // namespace kinora

#endif  // KINORA_COMMON_VERSION_H_

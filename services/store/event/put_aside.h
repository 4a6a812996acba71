// Keeping bytes for people to look at that are about to be replaced.

#ifndef KINORA_SERVICES_STORE_EVENT_PUT_ASIDE_H_
#define KINORA_SERVICES_STORE_EVENT_PUT_ASIDE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"

namespace kinora {

// A part of the names of files that were put aside.
inline constexpr absl::string_view kAsideSuffix = ".damaged";

// Makes a file `<name>.damaged` with the bytes, durably, or `.damaged-2` and so
// on if there is one of that name. One that has these bytes, since a crash, is
// as good. Nothing ever removes it. Returns its path.
absl::StatusOr<std::string> PutAside(FileSystem& fs, absl::string_view name,
                                     absl::string_view bytes);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_PUT_ASIDE_H_

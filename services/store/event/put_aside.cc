#include "services/store/event/put_aside.h"

#include "absl/strings/str_cat.h"

#include "common/status.h"

namespace kinora {

absl::StatusOr<std::string> PutAside(FileSystem& fs, absl::string_view name,
                                     absl::string_view bytes) {
  const std::string first = absl::StrCat(name, kAsideSuffix);
  std::string path = first;
  for (int copy = 2;; ++copy) {
    const absl::Status put = CreateFileAtomically(fs, path, bytes);
    if (put.ok()) return path;
    if (!absl::IsAlreadyExists(put)) return put;
    KINORA_ASSIGN_OR_RETURN(const std::string there, ReadFile(fs, path));
    if (there == bytes) return path;
    path = absl::StrCat(first, "-", copy);
  }
}

}  // namespace kinora

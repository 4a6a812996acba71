#include "common/files/file_url.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/files/percent_escapes.h"
#include "common/status.h"

namespace kinora {

std::string FileUrl(absl::string_view path) {
  if (!absl::StartsWith(path, "/")) return "";
  return absl::StrCat("file://", PercentEncoded(path, "/"));
}

absl::StatusOr<std::string> PathOfFileUrl(absl::string_view field,
                                          absl::string_view url) {
  absl::string_view rest = url;
  if (!absl::ConsumePrefix(&rest, "file://") || !absl::StartsWith(rest, "/") ||
      rest.find_first_of("?#") != absl::string_view::npos) {
    return InvalidField(field, url, "must be a URL such as file:///a/b");
  }
  return PercentDecoded(rest);
}

}  // namespace kinora

#include "common/files/readable_path.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/status.h"

namespace kinora {
namespace {

constexpr size_t kMaxPartBytes = 255;  // of a file name

bool IsHexDigit(char c) {
  return absl::ascii_isdigit(c) || (c >= 'A' && c <= 'F');
}

bool IsPlain(char c) {
  return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
}

bool IsPart(absl::string_view part) {
  if (part.empty() || part.size() > kMaxPartBytes || part[0] == '.') {
    return false;
  }
  for (size_t i = 0; i < part.size(); ++i) {
    if (IsPlain(part[i])) continue;
    if (part[i] != '%' || i + 2 >= part.size() || !IsHexDigit(part[i + 1]) ||
        !IsHexDigit(part[i + 2])) {
      return false;
    }
    i += 2;
  }
  return true;
}

}  // namespace

absl::Status ValidateReadablePath(absl::string_view field,
                                  absl::string_view path) {
  if (path.size() > kMaxReadablePathBytes) {
    return InvalidField(
        field, path,
        absl::StrCat("must have at most ", kMaxReadablePathBytes, " bytes"));
  }
  for (size_t begin = 0; begin <= path.size();) {
    const size_t slash = std::min(path.find('/', begin), path.size());
    if (!IsPart(path.substr(begin, slash - begin))) {
      return InvalidField(field, path,
                          "must be a relative path of names of letters, "
                          "digits, '.', '_', '-' and %XX, none of which "
                          "begins with a dot");
    }
    begin = slash + 1;
  }
  return absl::OkStatus();
}

bool IsReadableType(absl::string_view mime_type) {
  return absl::StartsWith(mime_type, "text/") ||
         mime_type == "application/json";
}

}  // namespace kinora

#include "common/status.h"

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "common/utf8.h"

namespace kinora {

absl::Status Annotate(const absl::Status& status, absl::string_view doing) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(),
                         absl::StrCat(doing, ": ", status.message()));
  status.ForEachPayload(
      [&annotated](absl::string_view url, const absl::Cord& payload) {
        annotated.SetPayload(url, payload);
      });
  return annotated;
}

absl::Status InvalidField(absl::string_view field, absl::string_view value,
                          absl::string_view why) {
  const std::string clipped = ClipValue(value);
  // A parser's own words tell already what it was given.
  const std::string got = absl::StrContains(why, ", got ")
                              ? ""
                              : absl::StrCat(", got \"", clipped, "\"");
  absl::Status status =
      absl::InvalidArgumentError(absl::StrCat(field, ": ", why, got));
  status.SetPayload(kFieldPayload, absl::Cord(field));
  status.SetPayload(kValuePayload, absl::Cord(clipped));
  return status;
}

std::string ClipValue(absl::string_view value) {
  std::string clipped;
  size_t taken = 0;
  while (taken < value.size()) {
    const absl::string_view rest = value.substr(taken);
    const size_t length = Utf8CharLength(rest);
    if (taken + (length == 0 ? 1 : length) > kMaxQuotedValueBytes) {
      clipped += "...";
      break;
    }
    const unsigned char c = static_cast<unsigned char>(rest[0]);
    if (length > 1) {
      clipped.append(rest.data(), length);
    } else if (c == '"' || c == '\\') {
      clipped += '\\';
      clipped += static_cast<char>(c);
    } else if (c == '\n') {
      clipped += "\\n";
    } else if (c == '\t') {
      clipped += "\\t";
    } else if (length == 0 || c < 0x20 || c == 0x7f) {
      clipped += absl::StrFormat("\\x%02x", c);
    } else {
      clipped += static_cast<char>(c);
    }
    taken += length == 0 ? 1 : length;
  }
  return clipped;
}

}  // namespace kinora

#include "services/runner/ledger/trimmed_text.h"

#include <cstddef>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace kinora {
namespace {

bool IsAsciiSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// All spaces beyond U+00FF are three bytes long.
bool IsLongSpace(absl::string_view c) {
  if (c == "\xE1\x9A\x80" || c == "\xE3\x80\x80" || c == "\xEF\xBB\xBF" ||
      c == "\xE2\x81\x9F") {
    return true;
  }
  if (!absl::StartsWith(c, "\xE2\x80")) return false;
  const unsigned char last = static_cast<unsigned char>(c[2]);
  return last <= 0x8A || last == 0xA8 || last == 0xA9 || last == 0xAF;
}

// Bytes of the space that `text` begins or ends with; 0 if there is none.
size_t SpaceAt(absl::string_view text, bool front) {
  if (text.empty()) return 0;
  const char edge = front ? text.front() : text.back();
  if (static_cast<unsigned char>(edge) < 0x80)
    return IsAsciiSpace(edge) ? 1 : 0;
  const auto piece = [&](size_t size) {
    return front ? text.substr(0, size) : text.substr(text.size() - size);
  };
  if (text.size() >= 2 && piece(2) == "\xC2\xA0") return 2;
  if (text.size() >= 3 && IsLongSpace(piece(3))) return 3;
  return 0;
}

}  // namespace

absl::string_view TrimmedText(absl::string_view text) {
  while (const size_t space = SpaceAt(text, true)) text.remove_prefix(space);
  while (const size_t space = SpaceAt(text, false)) text.remove_suffix(space);
  return text;
}

}  // namespace kinora

#include "clients/cli/terminal_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "common/utf8.h"

namespace kinora {
namespace {

constexpr absl::string_view kEllipsis = "\u2026";
constexpr uint32_t kReplacement = 0xFFFD;

struct CodeRange {
  uint32_t first;
  uint32_t last;
};

// Ascending. The blocks of Unicode's EastAsianWidth.txt that are W or F as a
// whole or nearly so; a C library's wcwidth() would ask for a locale.
constexpr CodeRange kWide[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x23E9, 0x23EC},
    {0x25FD, 0x25FE},   {0x2614, 0x2615},   {0x2648, 0x2653},
    {0x26AA, 0x26AB},   {0x26BD, 0x26BE},   {0x26C4, 0x26C5},
    {0x2705, 0x2705},   {0x270A, 0x270B},   {0x2728, 0x2728},
    {0x274C, 0x274C},   {0x2753, 0x2755},   {0x2795, 0x2797},
    {0x2B1B, 0x2B1C},   {0x2B50, 0x2B50},   {0x2E80, 0x303E},
    {0x3041, 0x33FF},   {0x3400, 0x4DBF},   {0x4E00, 0xA4CF},
    {0xA960, 0xA97F},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},
    {0xFE10, 0xFE19},   {0xFE30, 0xFE6F},   {0xFF01, 0xFF60},
    {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF},
    {0x1F7E0, 0x1F7EB}, {0x1F900, 0x1F9FF}, {0x1FA70, 0x1FAFF},
    {0x20000, 0x3FFFD},
};
constexpr CodeRange kWithoutWidth[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x064B, 0x065F},
    {0x093C, 0x093C}, {0x094D, 0x094D}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},
    {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x2064}, {0x20D0, 0x20FF},
    {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}, {0xE0100, 0xE01EF},
};

template <size_t N>
bool IsIn(const CodeRange (&ranges)[N], uint32_t code) {
  const CodeRange* next = std::upper_bound(
      std::begin(ranges), std::end(ranges), code,
      [](uint32_t c, const CodeRange& range) { return c < range.first; });
  return next != std::begin(ranges) && code <= std::prev(next)->last;
}

// REQUIRES: `character` is one valid character.
uint32_t Decode(absl::string_view character) {
  const auto byte = [character](size_t i) {
    return static_cast<uint32_t>(static_cast<unsigned char>(character[i]));
  };
  if (character.size() == 1) return byte(0);
  uint32_t code = byte(0) & (0xFFu >> (character.size() + 1));
  for (size_t i = 1; i < character.size(); ++i) {
    code = code << 6 | (byte(i) & 0x3Fu);
  }
  return code;
}

int WidthOf(uint32_t code) {
  if (code < 0x300) return 1;
  if (IsIn(kWithoutWidth, code)) return 0;
  return IsIn(kWide, code) ? 2 : 1;
}

// The next character, at least a byte of it.
absl::string_view First(absl::string_view text) {
  return text.substr(0, std::max<size_t>(1, Utf8CharLength(text)));
}

bool IsControl(uint32_t code) {
  // Line and paragraph separators, and what turns the direction of text: a name
  // must not look like another.
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 ||
         code == 0x2029 || (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

}  // namespace

std::string PrintableText(absl::string_view text) {
  std::string printable;
  for (; !text.empty(); text.remove_prefix(First(text).size())) {
    const absl::string_view character = First(text);
    if (Utf8CharLength(text) == 0) {
      AppendUtf8(kReplacement, &printable);
    } else if (IsControl(Decode(character))) {
      printable += ' ';
    } else {
      absl::StrAppend(&printable, character);
    }
  }
  return printable;
}

std::string PrintableLines(absl::string_view text) {
  std::string lines;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    absl::StrAppend(&lines, PrintableText(line), "\n");
  }
  return lines;
}

int DisplayWidth(absl::string_view text) {
  int width = 0;
  for (; !text.empty(); text.remove_prefix(First(text).size())) {
    width += WidthOf(Decode(First(text)));
  }
  return width;
}

std::string FitText(absl::string_view text, int columns) {
  if (columns <= 0) return "";
  if (DisplayWidth(text) <= columns) return std::string(text);
  size_t size = 0;
  int width = 0;
  while (size < text.size()) {
    const absl::string_view character = First(text.substr(size));
    width += WidthOf(Decode(character));
    if (width > columns - 1) break;
    size += character.size();
  }
  return absl::StrCat(text.substr(0, size), kEllipsis);
}

std::string PadText(absl::string_view text, int columns) {
  std::string fit = FitText(text, columns);
  fit.append(static_cast<size_t>(std::max(0, columns - DisplayWidth(fit))),
             ' ');
  return fit;
}

}  // namespace kinora

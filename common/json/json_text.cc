#include "common/json/json_text.h"

#include <cstdint>
#include <cstring>

namespace kinora {
namespace {

constexpr uint64_t kOnes = 0x0101010101010101;
constexpr uint64_t kHighBits = 0x8080808080808080;

// High bit set in some byte, and only then, if one of the eight bytes is zero.
uint64_t ZeroBytes(uint64_t block) {
  return (block - kOnes) & ~block & kHighBits;
}

bool AllPlain(uint64_t block) {
  const uint64_t control = (block - kOnes * 0x20) & ~block & kHighBits;
  const uint64_t quote = ZeroBytes(block ^ (kOnes * '"'));
  const uint64_t backslash = ZeroBytes(block ^ (kOnes * '\\'));
  return (control | quote | backslash | (block & kHighBits)) == 0;
}

bool IsPlain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

}  // namespace

size_t PlainJsonTextPrefix(absl::string_view text) {
  size_t i = 0;
  uint64_t block;
  for (; i + sizeof(block) <= text.size(); i += sizeof(block)) {
    std::memcpy(&block, text.data() + i, sizeof(block));
    if (!AllPlain(block)) break;
  }
  // What is shorter than a block in one, too, some of its bytes twice.
  const size_t rest = text.size() - i;
  if (rest >= sizeof(block) / 2 && rest < sizeof(block)) {
    uint32_t halves[2];
    std::memcpy(&halves[0], text.data() + i, sizeof(halves[0]));
    std::memcpy(&halves[1], text.data() + text.size() - sizeof(halves[1]),
                sizeof(halves[1]));
    std::memcpy(&block, halves, sizeof(block));
    if (AllPlain(block)) return text.size();
  }
  while (i < text.size() && IsPlain(text[i])) ++i;
  return i;
}

}  // namespace kinora

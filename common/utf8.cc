#include "common/utf8.h"

#include <algorithm>
#include <cstring>

namespace kinora {
namespace {

constexpr size_t kMaxCharBytes = 4;

bool IsContinuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// The code point order of three-byte characters from U+E000 on is above that of
// surrogates, which begin every character of four bytes in UTF-16.
int Utf16Rank(unsigned char lead) {
  if (lead >= 0xF0) return 0xEE;
  if (lead >= 0xEE) return lead + 0x100;
  return lead;
}

}  // namespace

size_t Utf8CharLength(absl::string_view text) {
  if (text.empty()) return 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const unsigned char lead = bytes[0];
  if (lead < 0x80) return 1;
  size_t length = 0;
  unsigned char lowest = 0x80;   // of the second byte
  unsigned char highest = 0xBF;  // of the second byte
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) lowest = 0xA0;
    if (lead == 0xED) highest = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) lowest = 0x90;
    if (lead == 0xF4) highest = 0x8F;
  } else {
    return 0;
  }
  if (text.size() < length) return 0;
  if (bytes[1] < lowest || bytes[1] > highest) return 0;
  for (size_t i = 2; i < length; ++i) {
    if (!IsContinuation(bytes[i])) return 0;
  }
  return length;
}

size_t ValidUtf8Prefix(absl::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    // Almost all text is ASCII: eight bytes at a time.
    uint64_t block;
    if (text.size() - i >= sizeof(block)) {
      std::memcpy(&block, text.data() + i, sizeof(block));
      if ((block & 0x8080808080808080ull) == 0) {
        i += sizeof(block);
        continue;
      }
    }
    const size_t length = Utf8CharLength(text.substr(i));
    if (length == 0) return i;
    i += length;
  }
  return i;
}

void Utf8Check::Add(absl::string_view piece) {
  while (!begun_.empty() && !piece.empty() && !is_broken_) {
    begun_.push_back(piece.front());
    piece.remove_prefix(1);
    if (Utf8CharLength(begun_) != 0) {
      begun_.clear();
    } else if (begun_.size() >= kMaxCharBytes) {
      is_broken_ = true;
    }
  }
  if (is_broken_ || piece.empty()) return;
  piece.remove_prefix(ValidUtf8Prefix(piece));
  if (piece.size() >= kMaxCharBytes) {
    is_broken_ = true;
  } else {
    begun_ = std::string(piece);
  }
}

void AppendUtf8(uint32_t code_point, std::string* out) {
  const auto put = [out](uint32_t byte) {
    out->push_back(static_cast<char>(byte));
  };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | (code_point >> 6));
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | (code_point >> 12));
    put(0x80 | ((code_point >> 6) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | (code_point >> 18));
    put(0x80 | ((code_point >> 12) & 0x3F));
    put(0x80 | ((code_point >> 6) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

bool Utf16Less(absl::string_view a, absl::string_view b) {
  const size_t common = std::min(a.size(), b.size());
  size_t i = 0;
  while (i < common && a[i] == b[i]) ++i;
  if (i == common) return a.size() < b.size();
  // Where valid texts first differ, either both bytes begin a character or both
  // continue one of the same lead; continuations rank as they are.
  return Utf16Rank(static_cast<unsigned char>(a[i])) <
         Utf16Rank(static_cast<unsigned char>(b[i]));
}

}  // namespace kinora

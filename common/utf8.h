// UTF-8 checks shared by the JSON code and by error texts. Valid means RFC
// 3629: no overlong forms, no surrogates, nothing above U+10FFFF.

#ifndef KINORA_COMMON_UTF8_H_
#define KINORA_COMMON_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace kinora {

// Bytes of the valid character that `text` begins with (1 to 4), or 0 if it
// begins with none.
size_t Utf8CharLength(absl::string_view text);

// Length of the longest prefix of `text` that is valid; text.size() if all is.
size_t ValidUtf8Prefix(absl::string_view text);

inline bool IsValidUtf8(absl::string_view text) {
  return ValidUtf8Prefix(text) == text.size();
}

// Checks text that comes in pieces, which may end within a character. Not
// thread-safe.
class Utf8Check {
 public:
  void Add(absl::string_view piece);

  // True if all that was added so far is valid as it stands.
  bool IsValid() const { return !is_broken_ && begun_.empty(); }

 private:
  bool is_broken_ = false;
  std::string begun_;  // what may be the beginning of a character
};

// Appends `code_point` to `out`. REQUIRES: a Unicode scalar value.
void AppendUtf8(uint32_t code_point, std::string* out);

// True if `a` comes before `b` in the order of their UTF-16 code units, the
// order RFC 8785 gives object keys. It differs from the order of the bytes only
// between U+E000..U+FFFF and the characters above. REQUIRES: both valid.
bool Utf16Less(absl::string_view a, absl::string_view b);

}  // namespace kinora

#endif  // KINORA_COMMON_UTF8_H_

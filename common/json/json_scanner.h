// A JsonScanner moves through JSON as long as it finds what its reader expects
// there: no tree, no look back, about as fast as the bytes come from memory.
// After the first false its place is undefined, but for Take() and Member().
//
// It is for text of a known form, such as our own canonical JSON; a reader
// falls back to a parser where that form is not kept.

#ifndef KINORA_COMMON_JSON_JSON_SCANNER_H_
#define KINORA_COMMON_JSON_JSON_SCANNER_H_

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <system_error>

#include "absl/strings/string_view.h"

#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/json/json_text.h"
#include "common/utf8.h"

namespace kinora {

class JsonScanner {
 public:
  explicit JsonScanner(absl::string_view json)
      : at_(json.data()), end_(json.data() + json.size()) {}

  bool AtEnd() const { return at_ == end_; }

  // What is left to read.
  absl::string_view Rest() const {
    return absl::string_view(at_, static_cast<size_t>(end_ - at_));
  }
  // REQUIRES: as much is left.
  void Skip(size_t bytes) { at_ += bytes; }

  bool Take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  template <size_t kSize>
  bool Take(const char (&text)[kSize]) {
    constexpr size_t kLength = kSize - 1;
    if (static_cast<size_t>(end_ - at_) < kLength ||
        std::memcmp(at_, text, kLength) != 0) {
      return false;
    }
    at_ += kLength;
    return true;
  }

  bool BeginObject() {
    first_ = true;
    return Take('{');
  }
  bool EndObject() {
    first_ = false;
    return Take('}');
  }

  // True, and past it, if this member comes next; `member` is `"key":`.
  template <size_t kSize>
  bool Member(const char (&member)[kSize]) {
    const char* const before = at_;
    if ((first_ || Take(',')) && Take(member)) {
      first_ = false;
      return true;
    }
    at_ = before;
    return false;
  }

  // A string without the escape \u.
  bool Text(std::string* out) {
    if (!Take('"')) return false;
    const char* begin = at_;
    at_ += PlainJsonTextPrefix(Rest());
    if (Take('"')) {
      out->assign(begin, at_ - 1);
      return true;
    }
    out->assign(begin, at_);
    return EscapedText(out);
  }

  // A string of plain text, as it stands.
  bool PlainText(absl::string_view* out) {
    if (!Take('"')) return false;
    *out = absl::string_view(at_, PlainJsonTextPrefix(Rest()));
    at_ += out->size();
    return Take('"');
  }

  bool Integer(int64_t* out) {
    const auto [end, error] = std::from_chars(at_, end_, *out);
    // Beyond that, JSON's numbers are not exact.
    if (error != std::errc() || *out > kMaxJsonInteger ||
        *out < -kMaxJsonInteger) {
      return false;
    }
    at_ = end;
    return at_ == end_ || (*at_ != '.' && *at_ != 'e' && *at_ != 'E');
  }

  bool Double(double* out) {
    const auto [end, error] = std::from_chars(at_, end_, *out);
    if (error != std::errc()) return false;
    at_ = end;
    return true;
  }

  // Any string or value, as it stands, found by its quotes and brackets alone.
  bool RawString(absl::string_view* out) {
    const char* const begin = at_;
    if (!SkipString()) return false;
    *out = absl::string_view(begin, static_cast<size_t>(at_ - begin));
    return true;
  }
  bool RawValue(absl::string_view* out) {
    const char* const begin = at_;
    if (!SkipValue()) return false;
    *out = absl::string_view(begin, static_cast<size_t>(at_ - begin));
    return !out->empty();
  }

  // Any value, as it stands, if it is canonical JSON.
  bool CanonicalValue(std::string* out) {
    absl::string_view value;
    if (!RawValue(&value)) return false;
    out->assign(value.data(), value.size());
    return IsCanonicalJson(*out);
  }

  bool SkipString() {
    if (!Take('"')) return false;
    for (; at_ != end_; ++at_) {
      at_ += PlainJsonTextPrefix(Rest());
      if (at_ == end_) return false;
      if (*at_ == '"') {
        ++at_;
        return true;
      }
      // An escape, or a byte of a longer character.
      if (*at_ == '\\' && ++at_ == end_) return false;
    }
    return false;
  }

 private:
  // The rest of a string whose plain beginning is in `out`.
  bool EscapedText(std::string* out) {
    for (;;) {
      const size_t plain = PlainJsonTextPrefix(Rest());
      out->append(at_, plain);
      at_ += plain;
      if (at_ == end_) return false;
      if (Take('"')) return true;
      if (Take('\\')) {
        if (!TakeEscape(out)) return false;
        continue;
      }
      const size_t length = Utf8CharLength(Rest());
      if (length < 2) return false;  // a control character, or no character
      out->append(at_, length);
      at_ += length;
    }
  }

  bool TakeEscape(std::string* out) {
    if (at_ == end_) return false;
    switch (*at_++) {
      case '"':
        out->push_back('"');
        return true;
      case '\\':
        out->push_back('\\');
        return true;
      case 'b':
        out->push_back('\b');
        return true;
      case 'f':
        out->push_back('\f');
        return true;
      case 'n':
        out->push_back('\n');
        return true;
      case 'r':
        out->push_back('\r');
        return true;
      case 't':
        out->push_back('\t');
        return true;
      default:
        return false;
    }
  }

  // Goes past a value by its brackets alone.
  bool SkipValue() {
    int depth = 0;
    while (at_ != end_) {
      switch (*at_) {
        case '"':
          if (!SkipString()) return false;
          break;
        case '{':
        case '[':
          ++depth;
          ++at_;
          break;
        case '}':
        case ']':
          if (depth == 0) return true;
          --depth;
          ++at_;
          break;
        case ',':
          if (depth == 0) return true;
          ++at_;
          break;
        default:
          ++at_;
      }
    }
    return false;
  }

  const char* at_;
  const char* const end_;
  bool first_ = true;  // no member of the object was read yet
};

}  // namespace kinora

#endif  // KINORA_COMMON_JSON_JSON_SCANNER_H_

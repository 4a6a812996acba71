#include <algorithm>
#include <charconv>
#include <cmath>

#include "absl/strings/charconv.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/json/json.h"
#include "common/status.h"
#include "common/utf8.h"

namespace kinora {
namespace {

constexpr int kDepthCeiling = 1000;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Whether a whole number, written as `text`, has the digits that are written
// for the double it became.
bool KeepsDigits(absl::string_view text, double number) {
  char buffer[40];
  const char* const end =
      std::to_chars(buffer, buffer + sizeof(buffer), std::fabs(number),
                    std::chars_format::scientific)
          .ptr;
  std::string digits;
  for (const char* p = buffer; p != end && *p != 'e'; ++p) {
    if (*p != '.') digits.push_back(*p);
  }
  absl::ConsumePrefix(&text, "-");
  return absl::ConsumePrefix(&text, digits) &&
         text.find_first_not_of('0') == absl::string_view::npos;
}

// A recursive descent over the text. Each Parse method returns false after it
// has noted the first error and leaves the rest of the text alone.
class Parser {
 public:
  Parser(absl::string_view text, const JsonLimits& limits)
      : text_(text),
        max_depth_(std::min(limits.max_depth, kDepthCeiling)),
        exact_integers_(limits.exact_integers) {}

  absl::StatusOr<JsonValue> Parse() {
    JsonValue value;
    SkipSpace();
    if (!ParseValue(&value)) return Error();
    SkipSpace();
    if (at_ != text_.size()) {
      Fail("expected the end of the text");
      return Error();
    }
    return value;
  }

 private:
  absl::Status Error() const {
    if (is_inexact_) return absl::OutOfRangeError(error_);
    size_t line = 1;
    size_t line_start = 0;
    for (size_t i = 0; i < at_; ++i) {
      if (text_[i] == '\n') {
        ++line;
        line_start = i + 1;
      }
    }
    // What stands there; the whole text may be huge.
    const std::string seen =
        at_ < text_.size()
            ? absl::StrCat(", got \"", ClipValue(text_.substr(at_, 20)), "\"")
            : ", got the end of the text";
    return absl::InvalidArgumentError(
        absl::StrCat("JSON: ", error_, " at line ", line, ", column ",
                     at_ - line_start + 1, " (byte ", at_, ")", seen));
  }

  bool Fail(absl::string_view error) {
    error_ = std::string(error);
    return false;
  }
  bool FailAt(size_t at, absl::string_view error) {
    at_ = at;
    return Fail(error);
  }

  bool AtEnd() const { return at_ == text_.size(); }
  // NUL at the end, which no place accepts.
  char Peek() const { return AtEnd() ? '\0' : text_[at_]; }

  bool Take(char c) {
    if (Peek() != c || AtEnd()) return false;
    ++at_;
    return true;
  }

  void SkipSpace() {
    while (!AtEnd()) {
      const char c = text_[at_];
      if (c != ' ' && c != '\n' && c != '\r' && c != '\t') return;
      ++at_;
    }
  }

  bool ParseValue(JsonValue* value) {
    switch (Peek()) {
      case '{':
        return ParseObject(value);
      case '[':
        return ParseArray(value);
      case '"': {
        std::string text;
        if (!ParseString(&text)) return false;
        *value = JsonValue(std::move(text));
        return true;
      }
      case 't':
        return ParseWord("true", true, value);
      case 'f':
        return ParseWord("false", false, value);
      case 'n':
        return ParseWord("null", nullptr, value);
      default:
        return ParseNumber(value);
    }
  }

  bool ParseWord(absl::string_view word, JsonValue meaning, JsonValue* value) {
    if (text_.substr(at_, word.size()) != word) {
      return Fail("expected a value");
    }
    at_ += word.size();
    *value = std::move(meaning);
    return true;
  }

  bool Enter() {
    if (++depth_ <= max_depth_) return true;
    return Fail(absl::StrCat("nested deeper than ", max_depth_));
  }

  bool ParseArray(JsonValue* value) {
    if (!Enter()) return false;
    ++at_;
    JsonArray array;
    SkipSpace();
    if (!Take(']')) {
      while (true) {
        SkipSpace();
        if (!ParseValue(&array.emplace_back())) return false;
        SkipSpace();
        if (Take(']')) break;
        if (!Take(',')) return Fail("expected ',' or ']'");
      }
    }
    --depth_;
    *value = JsonValue(std::move(array));
    return true;
  }

  bool ParseObject(JsonValue* value) {
    if (!Enter()) return false;
    ++at_;
    JsonObject object;
    SkipSpace();
    if (!Take('}')) {
      while (true) {
        SkipSpace();
        if (!ParseMember(&object)) return false;
        SkipSpace();
        if (Take('}')) break;
        if (!Take(',')) return Fail("expected ',' or '}'");
      }
    }
    --depth_;
    *value = JsonValue(std::move(object));
    return true;
  }

  bool ParseMember(JsonObject* object) {
    const size_t key_at = at_;
    if (Peek() != '"') return Fail("expected a key in quotes");
    std::string key;
    if (!ParseString(&key)) return false;
    SkipSpace();
    if (!Take(':')) return Fail("expected ':'");
    SkipSpace();
    JsonValue member;
    if (!ParseValue(&member)) return false;
    if (!object->Add(key, std::move(member))) {
      return FailAt(key_at, "a key stands twice in one object");
    }
    return true;
  }

  bool ParseString(std::string* out) {
    ++at_;
    while (true) {
      const size_t start = at_;
      while (!AtEnd() && IsPlain(text_[at_])) ++at_;
      out->append(text_.data() + start, at_ - start);
      if (AtEnd()) return Fail("expected '\"'");
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return true;
      }
      if (c == '\\') {
        if (!ParseEscape(out)) return false;
      } else if (static_cast<unsigned char>(c) < 0x20) {
        return Fail("a control character in a string must be escaped");
      } else {
        const size_t length = Utf8CharLength(text_.substr(at_));
        if (length == 0) return Fail("a string must be valid UTF-8");
        out->append(text_.data() + at_, length);
        at_ += length;
      }
    }
  }

  static bool IsPlain(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
  }

  bool ParseEscape(std::string* out) {
    static constexpr absl::string_view kLetters = "\"\\/bfnrt";
    static constexpr absl::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const size_t start = at_;
    ++at_;
    if (Take('u')) return ParseUnicodeEscape(start, out);
    const size_t which =
        AtEnd() ? absl::string_view::npos : kLetters.find(text_[at_]);
    if (which == absl::string_view::npos) {
      return FailAt(start, "unknown escape");
    }
    out->push_back(kMeanings[which]);
    ++at_;
    return true;
  }

  bool ParseUnicodeEscape(size_t start, std::string* out) {
    uint32_t unit;
    if (!ParseHex4(&unit))
      return FailAt(start, "expected \\u and 4 hex digits");
    if (unit >= 0xDC00 && unit <= 0xDFFF) {
      return FailAt(start, "a lone surrogate is no character");
    }
    if (unit >= 0xD800 && unit <= 0xDBFF) {
      uint32_t low;
      if (!Take('\\') || !Take('u') || !ParseHex4(&low) || low < 0xDC00 ||
          low > 0xDFFF) {
        return FailAt(start, "a lone surrogate is no character");
      }
      unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    }
    AppendUtf8(unit, out);
    return true;
  }

  bool ParseHex4(uint32_t* unit) {
    if (text_.size() - at_ < 4) return false;
    const char* begin = text_.data() + at_;
    const auto result = std::from_chars(begin, begin + 4, *unit, 16);
    if (result.ptr != begin + 4) return false;
    at_ += 4;
    return true;
  }

  bool ParseNumber(JsonValue* value) {
    const size_t start = at_;
    Take('-');
    if (!IsDigit(Peek())) {
      return FailAt(start, start == at_ ? "expected a value"
                                        : "expected a digit after '-'");
    }
    if (!Take('0')) SkipDigits();
    if (IsDigit(Peek())) return FailAt(start, "a number must not begin with 0");
    bool whole = true;
    if (Take('.')) {
      whole = false;
      if (!IsDigit(Peek())) return Fail("expected a digit after '.'");
      SkipDigits();
    }
    if (Take('e') || Take('E')) {
      whole = false;
      if (!Take('+')) Take('-');
      if (!IsDigit(Peek())) return Fail("expected a digit of the exponent");
      SkipDigits();
    }
    return Convert(start, whole, value);
  }

  void SkipDigits() {
    while (IsDigit(Peek())) ++at_;
  }

  // Turns the number text_[start, at_), whose form has been checked, into a
  // double.
  bool Convert(size_t start, bool whole, JsonValue* value) {
    const char* begin = text_.data() + start;
    const char* end = text_.data() + at_;
    // 15 digits are exact, and this is several times as fast.
    if (whole && end - begin <= 15 && *begin != '-') {
      int64_t integer = 0;
      for (const char* p = begin; p != end; ++p) {
        integer = integer * 10 + (*p - '0');
      }
      *value = JsonValue(static_cast<double>(integer));
      return true;
    }
    double number = 0;
    if (std::from_chars(begin, end, number).ec ==
        std::errc::result_out_of_range) {
      // The standard's function does not say which end; Abseil's does, and
      // rounds what is too small to zero.
      absl::from_chars(begin, end, number);
      if (std::fabs(number) > 1) {
        return FailAt(start, "the number is out of range");
      }
    }
    const absl::string_view written = text_.substr(start, at_ - start);
    if (exact_integers_ && whole &&
        std::fabs(number) >= static_cast<double>(kMaxJsonInteger) &&
        !KeepsDigits(written, number)) {
      is_inexact_ = true;
      return Fail(absl::StrCat("the number ", ClipValue(written),
                               " is not exact in JSON; put it in quotes"));
    }
    *value = JsonValue(number);
    return true;
  }

  const absl::string_view text_;
  const int max_depth_;
  const bool exact_integers_;
  size_t at_ = 0;
  int depth_ = 0;
  std::string error_;
  bool is_inexact_ = false;  // the error is a number that would change
};

}  // namespace

absl::StatusOr<JsonValue> ParseJson(absl::string_view text,
                                    const JsonLimits& limits) {
  return Parser(text, limits).Parse();
}

}  // namespace kinora

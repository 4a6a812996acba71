#include "common/json/json_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "common/json/json_text.h"
#include "common/utf8.h"

namespace kinora {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
constexpr absl::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

template <typename T>
void AppendInteger(T value, std::string* out) {
  char buffer[24];
  const auto result = std::to_chars(buffer, buffer + sizeof(buffer), value);
  out->append(buffer, static_cast<size_t>(result.ptr - buffer));
}

void AppendEscape(unsigned char c, std::string* out) {
  switch (c) {
    case '"':
      *out += "\\\"";
      return;
    case '\\':
      *out += "\\\\";
      return;
    case '\b':
      *out += "\\b";
      return;
    case '\f':
      *out += "\\f";
      return;
    case '\n':
      *out += "\\n";
      return;
    case '\r':
      *out += "\\r";
      return;
    case '\t':
      *out += "\\t";
      return;
    default:
      *out += "\\u00";
      out->push_back(kHexDigits[c >> 4]);
      out->push_back(kHexDigits[c & 15]);
  }
}

// Appends `value` as a string, with what stands around it.
void AppendQuoted(bool comma, absl::string_view value, bool colon,
                  std::string* out) {
  size_t i = PlainJsonTextPrefix(value);
  // Most strings, and all keys, are short and need no escape: they go out in
  // one piece.
  char piece[128];
  if (i == value.size() && i <= sizeof(piece) - 4) {
    char* end = piece;
    if (comma) *end++ = ',';
    *end++ = '"';
    end = std::copy(value.begin(), value.end(), end);
    *end++ = '"';
    if (colon) *end++ = ':';
    out->append(piece, static_cast<size_t>(end - piece));
    return;
  }
  if (comma) out->push_back(',');
  out->push_back('"');
  size_t copied = 0;  // value[0, copied) is in *out
  for (;;) {
    // Valid characters of several bytes stand as they are too.
    while (i < value.size() && static_cast<unsigned char>(value[i]) >= 0x80) {
      const size_t length = Utf8CharLength(value.substr(i));
      if (length == 0) break;
      i += length;
      i += PlainJsonTextPrefix(value.substr(i));
    }
    out->append(value.data() + copied, i - copied);
    if (i == value.size()) break;
    const auto c = static_cast<unsigned char>(value[i]);
    if (c < 0x80) {
      AppendEscape(c, out);
    } else {
      out->append(kReplacement.data(), kReplacement.size());
    }
    copied = i + 1;
    i = copied + PlainJsonTextPrefix(value.substr(copied));
  }
  out->push_back('"');
  if (colon) out->push_back(':');
}

}  // namespace

void AppendJsonString(absl::string_view value, std::string* out) {
  AppendQuoted(false, value, false, out);
}

void AppendJsonNumber(double value, std::string* out) {
  if (std::fabs(value) < 1e15 && std::trunc(value) == value) {
    AppendInteger(static_cast<int64_t>(value), out);
    return;
  }
  // "d.ddde+XX" with the shortest digits that read back as the same double.
  char buffer[40];
  const char* const end =
      std::to_chars(buffer, buffer + sizeof(buffer), std::fabs(value),
                    std::chars_format::scientific)
          .ptr;
  char digits[24];
  int count = 0;
  const char* p = buffer;
  for (; p != end && *p != 'e'; ++p) {
    if (*p != '.') digits[count++] = *p;
  }
  int exponent = 0;
  if (p != end) ++p;               // 'e'
  if (p != end && *p == '+') ++p;  // from_chars takes '-' only
  std::from_chars(p, end, exponent);
  // The names of ECMAScript's Number::toString: the value is 0.digits * 10^n.
  const int n = exponent + 1;
  if (value < 0) out->push_back('-');
  if (count <= n && n <= 21) {
    out->append(digits, static_cast<size_t>(count));
    out->append(static_cast<size_t>(n - count), '0');
  } else if (0 < n && n <= 21) {
    out->append(digits, static_cast<size_t>(n));
    out->push_back('.');
    out->append(digits + n, static_cast<size_t>(count - n));
  } else if (-6 < n && n <= 0) {
    *out += "0.";
    out->append(static_cast<size_t>(-n), '0');
    out->append(digits, static_cast<size_t>(count));
  } else {
    out->push_back(digits[0]);
    if (count > 1) {
      out->push_back('.');
      out->append(digits + 1, static_cast<size_t>(count - 1));
    }
    *out += exponent < 0 ? "e-" : "e+";
    AppendInteger(std::abs(exponent), out);
  }
}

JsonWriter& JsonWriter::Open(char bracket) {
  Separate();
  out_.push_back(bracket);
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::Close(char bracket) {
  out_.push_back(bracket);
  need_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::Key(absl::string_view key) {
  AppendQuoted(need_comma_, key, true, &out_);
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::String(absl::string_view value) {
  AppendQuoted(need_comma_, value, false, &out_);
  need_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::Int(int64_t value) {
  Separate();
  AppendInteger(value, &out_);
  return *this;
}

JsonWriter& JsonWriter::Uint(uint64_t value) {
  Separate();
  AppendInteger(value, &out_);
  return *this;
}

JsonWriter& JsonWriter::Double(double value) {
  if (!std::isfinite(value)) return Null();
  Separate();
  AppendJsonNumber(value, &out_);
  return *this;
}

JsonWriter& JsonWriter::Bool(bool value) {
  return Raw(value ? "true" : "false");
}

JsonWriter& JsonWriter::Null() { return Raw("null"); }

JsonWriter& JsonWriter::Raw(absl::string_view json) {
  Separate();
  out_.append(json.data(), json.size());
  return *this;
}

JsonWriter& JsonWriter::Value(const JsonValue& value) {
  switch (value.type()) {
    case JsonValue::Type::kNull:
      return Null();
    case JsonValue::Type::kBool:
      return Bool(value.bool_value());
    case JsonValue::Type::kNumber:
      return Double(value.number_value());
    case JsonValue::Type::kString:
      return String(value.string_value());
    case JsonValue::Type::kArray:
      BeginArray();
      for (const JsonValue& element : value.array()) Value(element);
      return EndArray();
    case JsonValue::Type::kObject:
      break;
  }
  BeginObject();
  for (const JsonMember& member : value.object()) {
    Key(member.key).Value(member.value);
  }
  return EndObject();
}

std::string ToJson(const JsonValue& value) {
  std::string text;
  JsonWriter(&text).Value(value);
  return text;
}

}  // namespace kinora

#include "common/json/canonical_json.h"

#include <algorithm>
#include <vector>

#include "common/json/json_text.h"
#include "common/json/json_writer.h"
#include "common/utf8.h"

namespace kinora {
namespace {

void Write(const JsonValue& value, JsonWriter* json) {
  if (value.is_array()) {
    json->BeginArray();
    for (const JsonValue& element : value.array()) Write(element, json);
    json->EndArray();
    return;
  }
  if (!value.is_object()) {
    json->Value(value);
    return;
  }
  std::vector<const JsonMember*> members;
  members.reserve(value.object().size());
  for (const JsonMember& member : value.object()) members.push_back(&member);
  std::sort(members.begin(), members.end(),
            [](const JsonMember* a, const JsonMember* b) {
              return Utf16Less(a->key, b->key);
            });
  json->BeginObject();
  for (const JsonMember* member : members) {
    json->Key(member->key);
    Write(member->value, json);
  }
  json->EndObject();
}

// A PlainScanner recognises canonical JSON of the plain kind: strings without
// escapes, ASCII keys, integers of up to 15 digits. Of other text it says
// nothing.
class PlainScanner {
 public:
  explicit PlainScanner(absl::string_view text) : text_(text) {}

  bool ScanAll() { return ScanValue(0) && at_ == text_.size(); }

 private:
  static constexpr int kMaxDepth = 32;

  bool Take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool TakeWord(absl::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  bool ScanValue(int depth) {
    if (at_ == text_.size() || depth == kMaxDepth) return false;
    switch (text_[at_]) {
      case '"':
        return ScanString();
      case '{':
        return ScanObject(depth);
      case '[':
        return ScanArray(depth);
      case 't':
        return TakeWord("true");
      case 'f':
        return TakeWord("false");
      case 'n':
        return TakeWord("null");
      default:
        return ScanInteger();
    }
  }

  bool ScanString() {
    if (!Take('"')) return false;
    const size_t begin = at_;
    at_ += PlainJsonTextPrefix(text_.substr(at_));
    if (at_ < text_.size() && text_[at_] == '"') return Take('"');
    // Characters beyond ASCII, or the end of what this scanner knows.
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (c < 0x20 || c == '\\') return false;
    }
    return IsValidUtf8(text_.substr(begin, at_ - begin)) && Take('"');
  }

  bool ScanInteger() {
    const bool negative = Take('-');
    const size_t begin = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    const size_t digits = at_ - begin;
    if (digits == 0 || digits > 15) return false;
    return text_[begin] != '0' || (digits == 1 && !negative);
  }

  bool ScanArray(int depth) {
    Take('[');
    if (Take(']')) return true;
    do {
      if (!ScanValue(depth + 1)) return false;
    } while (Take(','));
    return Take(']');
  }

  bool ScanObject(int depth) {
    Take('{');
    if (Take('}')) return true;
    absl::string_view previous;
    do {
      const size_t begin = at_ + 1;
      if (!ScanString()) return false;
      const absl::string_view key = text_.substr(begin, at_ - 1 - begin);
      // Bytes and UTF-16 code units have the same order in ASCII.
      for (const char c : key) {
        if (static_cast<unsigned char>(c) >= 0x80) return false;
      }
      if (previous.data() != nullptr && key <= previous) return false;
      previous = key;
      if (!Take(':') || !ScanValue(depth + 1)) return false;
    } while (Take(','));
    return Take('}');
  }

  const absl::string_view text_;
  size_t at_ = 0;
};

}  // namespace

bool IsCanonicalJson(absl::string_view text) {
  if (PlainScanner(text).ScanAll()) return true;
  const absl::StatusOr<JsonValue> value = ParseJson(text);
  return value.ok() && CanonicalJson(*value) == text;
}

std::string CanonicalJson(const JsonValue& value) {
  std::string text;
  JsonWriter json(&text);
  Write(value, &json);
  return text;
}

}  // namespace kinora

// A JsonWriter appends JSON to a string, for lines that are written often: no
// tree, no allocation but the string's own. Escapes and numbers are those of
// RFC 8785, so a caller that writes its keys in order writes canonical JSON.
//
//   std::string line;
//   JsonWriter json(&line);
//   json.BeginObject();
//   json.Key("seq").Int(7).Key("type").String("run.started");
//   json.EndObject();

#ifndef KINORA_COMMON_JSON_JSON_WRITER_H_
#define KINORA_COMMON_JSON_JSON_WRITER_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

#include "common/json/json.h"

namespace kinora {

// Not thread-safe. The writer sets the commas; that Begin and End match, and
// that in an object a Key stands before each value, is up to the caller.
class JsonWriter {
 public:
  // Appends to `out`, which MUST outlive the writer.
  explicit JsonWriter(std::string* out) : out_(*out) {}

  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }

  JsonWriter& Key(absl::string_view key);

  // Bytes that are not valid UTF-8 are written as U+FFFD, so that the line
  // stays readable whatever a foreign process printed.
  JsonWriter& String(absl::string_view value);

  // All digits are written, also beyond 2^53.
  JsonWriter& Int(int64_t value);
  JsonWriter& Uint(uint64_t value);

  // As ECMAScript writes it. NaN and the infinities, which JSON has not, are
  // written as null.
  JsonWriter& Double(double value);

  JsonWriter& Bool(bool value);
  JsonWriter& Null();

  // Appends one value that is JSON already. Not checked.
  JsonWriter& Raw(absl::string_view json);

  // Appends a whole value, members in their order.
  JsonWriter& Value(const JsonValue& value);

 private:
  JsonWriter& Open(char bracket);
  JsonWriter& Close(char bracket);
  void Separate() {
    if (need_comma_) out_.push_back(',');
    need_comma_ = true;
  }

  std::string& out_;
  bool need_comma_ = false;
};

// Appends `value` with quotes and escapes; see JsonWriter::String().
void AppendJsonString(absl::string_view value, std::string* out);

// Appends `value` as ECMAScript's Number::toString does: the shortest digits
// that read back as the same double; -0 is "0". REQUIRES: finite.
void AppendJsonNumber(double value, std::string* out);

// `value` in one line, members in their order.
std::string ToJson(const JsonValue& value);

}  // namespace kinora

#endif  // KINORA_COMMON_JSON_JSON_WRITER_H_

#include "services/runner/record/indented_json.h"

#include <cstddef>

#include "common/json/json_writer.h"

namespace kinora {
namespace {

void BeginLine(size_t depth, bool is_first, std::string* out) {
  out->append(is_first ? "\n" : ",\n").append(2 * depth, ' ');
}

void Append(const JsonValue& value, size_t depth, std::string* out) {
  bool is_first = true;
  if (value.is_array() && !value.array().empty()) {
    out->push_back('[');
    for (const JsonValue& element : value.array()) {
      BeginLine(depth + 1, is_first, out);
      is_first = false;
      Append(element, depth + 1, out);
    }
    out->append("\n").append(2 * depth, ' ').append("]");
  } else if (value.is_object() && !value.object().empty()) {
    out->push_back('{');
    for (const JsonMember& member : value.object()) {
      BeginLine(depth + 1, is_first, out);
      is_first = false;
      AppendJsonString(member.key, out);
      out->append(": ");
      Append(member.value, depth + 1, out);
    }
    out->append("\n").append(2 * depth, ' ').append("}");
  } else {
    JsonWriter(out).Value(value);
  }
}

}  // namespace

std::string IndentedJson(const JsonValue& value) {
  std::string out;
  Append(value, 0, &out);
  out.push_back('\n');
  return out;
}

}  // namespace kinora

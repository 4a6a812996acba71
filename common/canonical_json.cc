#include "common/canonical_json.h"

#include <algorithm>
#include <vector>

#include "common/json_writer.h"
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

}  // namespace

std::string CanonicalJson(const JsonValue& value) {
  std::string text;
  JsonWriter json(&text);
  Write(value, &json);
  return text;
}

}  // namespace kinora

// How values are measured and named when they are held against a JSON Schema.
// Internal to json_schema.h.

#ifndef KINORA_COMMON_JSON_JSON_SCHEMA_WORDS_H_
#define KINORA_COMMON_JSON_JSON_SCHEMA_WORDS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/json/json.h"

namespace kinora {

// Where a value stands; the rest is on the stack of the callers.
struct JsonPath {
  const JsonPath* parent = nullptr;
  const std::string* name = nullptr;  // null for an element of an array
  size_t index = 0;
};

// As a JSON pointer. Long names are cut: who sent them decides how long they
// are.
std::string JsonPointerTo(const JsonPath* path);

// The value, or for what is large its kind, as an error shows it.
std::string SeenJson(const JsonValue& value);

// `one of "a", "b"`; of a long list the first ones.
std::string OneOfJson(const JsonArray& values);

// The types (SchemaType) that the value has, and the words for some.
uint32_t SchemaTypesOf(const JsonValue& value);
std::string SchemaTypeNames(uint32_t types);

// True if the number is `of` so many times, but for the last bits.
bool IsMultiple(double number, double of);

// Characters, not bytes.
double CharactersOf(const std::string& text);

}  // namespace kinora

#endif  // KINORA_COMMON_JSON_JSON_SCHEMA_WORDS_H_

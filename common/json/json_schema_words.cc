#include "common/json/json_schema_words.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/json/canonical_json.h"
#include "common/json/json_pointer.h"
#include "common/json/json_schema_nodes.h"
#include "common/status.h"

namespace kinora {
namespace {

// What an error names of a list.
constexpr size_t kMaxNamed = 10;

bool IsWhole(double number) { return std::trunc(number) == number; }

}  // namespace

std::string JsonPointerTo(const JsonPath* path) {
  std::string pointer;
  for (; path->parent != nullptr; path = path->parent) {
    pointer.insert(0, path->name != nullptr
                          ? JsonPointerStep(ClipValue(*path->name))
                          : absl::StrCat("/", path->index));
  }
  return pointer;
}

std::string SeenJson(const JsonValue& value) {
  if (value.is_array()) {
    return absl::StrCat("an array of ", value.array().size());
  }
  if (value.is_object()) return "an object";
  if (value.is_string()) {
    return absl::StrCat("\"", ClipValue(value.string_value()), "\"");
  }
  return ClipValue(CanonicalJson(value));
}

std::string OneOfJson(const JsonArray& values) {
  std::vector<std::string> names;
  for (const JsonValue& value : values) {
    if (names.size() == kMaxNamed) {
      names.push_back(absl::StrCat("and ", values.size() - kMaxNamed, " more"));
      break;
    }
    names.push_back(SeenJson(value));
  }
  return absl::StrCat("one of ", absl::StrJoin(names, ", "));
}

uint32_t SchemaTypesOf(const JsonValue& value) {
  switch (value.type()) {
    case JsonValue::Type::kNull:
      return kSchemaNull;
    case JsonValue::Type::kBool:
      return kSchemaBoolean;
    case JsonValue::Type::kNumber:
      return IsWhole(value.number_value()) ? kSchemaNumber | kSchemaInteger
                                           : kSchemaNumber;
    case JsonValue::Type::kString:
      return kSchemaString;
    case JsonValue::Type::kArray:
      return kSchemaArray;
    case JsonValue::Type::kObject:
      return kSchemaObject;
  }
  return 0;
}

std::string SchemaTypeNames(uint32_t types) {
  static constexpr absl::string_view kNames[] = {
      "null",     "true or false", "a whole number", "a number",
      "a string", "an array",      "an object"};
  std::vector<absl::string_view> names;
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if ((types >> i & 1) != 0) names.push_back(kNames[i]);
  }
  return absl::StrJoin(names, " or ");
}

bool IsMultiple(double number, double of) {
  if (IsWhole(number) && IsWhole(of)) return std::fmod(number, of) == 0;
  const double quotient = number / of;
  if (!std::isfinite(quotient)) return std::fmod(number, of) == 0;
  // 0.0075 is 75 times 0.0001 but for the last bits.
  const double tolerance =
      std::min(1e-6, 1e-9 * std::max(1.0, std::fabs(quotient)));
  return std::fabs(quotient - std::nearbyint(quotient)) <= tolerance;
}

double CharactersOf(const std::string& text) {
  return static_cast<double>(std::count_if(
      text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace kinora

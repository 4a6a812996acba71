#include "common/json/json_schema_keywords.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "absl/strings/match.h"

#include "common/json/canonical_json.h"
#include "common/status.h"

namespace kinora {
namespace {

struct NamedType {
  absl::string_view name;
  SchemaType type;
};
constexpr NamedType kTypes[] = {
    {"null", kSchemaNull},       {"boolean", kSchemaBoolean},
    {"integer", kSchemaInteger}, {"number", kSchemaNumber},
    {"string", kSchemaString},   {"array", kSchemaArray},
    {"object", kSchemaObject}};

}  // namespace

absl::Status InvalidSchema(absl::string_view place, const JsonValue& seen,
                           absl::string_view expected) {
  return InvalidField(place.empty() ? "the schema" : place, CanonicalJson(seen),
                      expected);
}

std::optional<double>* NumberKeyword(const std::string& key, SchemaNode* made) {
  if (key == "multipleOf") return &made->multiple_of;
  if (key == "minimum") return &made->minimum;
  if (key == "exclusiveMinimum") return &made->exclusive_minimum;
  if (key == "maximum") return &made->maximum;
  if (key == "exclusiveMaximum") return &made->exclusive_maximum;
  if (key == "minLength") return &made->min_length;
  if (key == "maxLength") return &made->max_length;
  if (key == "minItems") return &made->min_items;
  if (key == "maxItems") return &made->max_items;
  if (key == "minContains") return &made->min_contains;
  if (key == "maxContains") return &made->max_contains;
  if (key == "minProperties") return &made->min_properties;
  if (key == "maxProperties") return &made->max_properties;
  return nullptr;
}

absl::Status ReadSchemaNumber(const std::string& key, const JsonValue& value,
                              const std::string& place,
                              std::optional<double>* number) {
  if (!value.is_number())
    return InvalidSchema(place, value, "expected a number");
  *number = value.number_value();
  if (key == "multipleOf" && **number <= 0) {
    return InvalidSchema(place, value, "expected a number above 0");
  }
  const bool counts =
      key != "minimum" && key != "maximum" &&
      (absl::StartsWith(key, "min") || absl::StartsWith(key, "max"));
  if (counts && (**number < 0 || std::trunc(**number) != **number)) {
    return InvalidSchema(place, value, "expected a whole number from 0");
  }
  return absl::OkStatus();
}

SchemaNodeIndex* SchemaKeyword(const std::string& key, SchemaNode* made) {
  if (key == "items") return &made->items;
  if (key == "contains") return &made->contains;
  if (key == "additionalProperties") return &made->additional_properties;
  if (key == "propertyNames") return &made->property_names;
  if (key == "not") return &made->negated;
  if (key == "if") return &made->condition;
  if (key == "then") return &made->then;
  if (key == "else") return &made->otherwise;
  return nullptr;
}

std::vector<SchemaNodeIndex>* SchemaListKeyword(const std::string& key,
                                                SchemaNode* made) {
  if (key == "allOf") return &made->all_of;
  if (key == "anyOf") return &made->any_of;
  if (key == "oneOf") return &made->one_of;
  if (key == "prefixItems") return &made->prefix_items;
  return nullptr;
}

absl::Status ReadSchemaTypes(const JsonValue& value, const std::string& place,
                             uint32_t* types) {
  const JsonArray names = value.is_array() ? value.array() : JsonArray{value};
  for (const JsonValue& name : names) {
    const auto* found = std::find_if(
        std::begin(kTypes), std::end(kTypes), [&name](const NamedType& type) {
          return name.is_string() && name.string_value() == type.name;
        });
    if (found == std::end(kTypes)) {
      return InvalidSchema(
          place, value,
          "expected null, boolean, integer, number, string, array "
          "or object");
    }
    *types |= found->type;
  }
  if (*types == 0) return InvalidSchema(place, value, "expected a type");
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> ReadSchemaNames(
    const JsonValue& value, const std::string& place) {
  std::vector<std::string> names;
  if (!value.is_array()) return InvalidSchema(place, value, "expected a list");
  for (const JsonValue& name : value.array()) {
    if (!name.is_string()) return InvalidSchema(place, value, "expected names");
    names.push_back(name.string_value());
  }
  return names;
}

}  // namespace kinora

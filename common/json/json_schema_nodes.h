// A compiled JSON Schema. Internal to json_schema.h: json_schema_compile.cc
// makes it, json_schema_check.cc holds values against it.

#ifndef KINORA_COMMON_JSON_JSON_SCHEMA_NODES_H_
#define KINORA_COMMON_JSON_JSON_SCHEMA_NODES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "common/json/json.h"
#include "re2/re2.h"

namespace kinora {

// Which node; kNoNode for none.
using SchemaNodeIndex = int;
inline constexpr SchemaNodeIndex kNoNode = -1;

// Types as `type` names them, a bit each.
enum SchemaType : uint32_t {
  kSchemaNull = 1,
  kSchemaBoolean = 2,
  kSchemaInteger = 4,
  kSchemaNumber = 8,
  kSchemaString = 16,
  kSchemaArray = 32,
  kSchemaObject = 64,
};

// One (sub)schema. What is not set is not asked for.
struct SchemaNode {
  bool forbids_all = false;  // the schema `false`
  uint32_t types = 0;        // 0 for any

  // `enum`, or the one of `const`; and how much there is to compare.
  std::optional<JsonArray> values;
  std::optional<JsonValue> constant;
  int64_t values_size = 0;

  std::optional<double> multiple_of;
  std::optional<double> minimum;
  std::optional<double> exclusive_minimum;
  std::optional<double> maximum;
  std::optional<double> exclusive_maximum;

  std::optional<double> min_length;
  std::optional<double> max_length;
  std::unique_ptr<const RE2> pattern;

  std::optional<double> min_items;
  std::optional<double> max_items;
  bool unique_items = false;
  std::vector<SchemaNodeIndex> prefix_items;
  SchemaNodeIndex items = kNoNode;
  SchemaNodeIndex contains = kNoNode;
  std::optional<double> min_contains;
  std::optional<double> max_contains;

  std::optional<double> min_properties;
  std::optional<double> max_properties;
  std::vector<std::string> required;
  std::vector<std::pair<std::string, std::vector<std::string>>>
      dependent_required;
  std::map<std::string, SchemaNodeIndex> properties;
  std::vector<std::pair<std::unique_ptr<const RE2>, SchemaNodeIndex>>
      pattern_properties;
  SchemaNodeIndex additional_properties = kNoNode;
  SchemaNodeIndex property_names = kNoNode;

  // Held against the same value.
  SchemaNodeIndex ref = kNoNode;
  std::vector<SchemaNodeIndex> all_of;
  std::vector<SchemaNodeIndex> any_of;
  std::vector<SchemaNodeIndex> one_of;
  SchemaNodeIndex negated = kNoNode;
  SchemaNodeIndex condition = kNoNode;
  SchemaNodeIndex then = kNoNode;
  SchemaNodeIndex otherwise = kNoNode;
  std::vector<std::pair<std::string, SchemaNodeIndex>> dependent_schemas;
};

// The first is the whole schema.
struct JsonSchemaNodes {
  std::vector<SchemaNode> nodes;
};

absl::StatusOr<std::unique_ptr<const JsonSchemaNodes>> CompileSchemaNodes(
    absl::string_view schema_json);

}  // namespace kinora

#endif  // KINORA_COMMON_JSON_JSON_SCHEMA_NODES_H_

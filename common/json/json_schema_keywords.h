// The keywords of a JSON Schema that hold a value of one form: where they go in
// a node, and what they may be. Internal to json_schema.h.

#ifndef KINORA_COMMON_JSON_JSON_SCHEMA_KEYWORDS_H_
#define KINORA_COMMON_JSON_JSON_SCHEMA_KEYWORDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/json/json.h"
#include "common/json/json_schema_nodes.h"

namespace kinora {

// INVALID_ARGUMENT naming the place in the schema and what stands there.
absl::Status InvalidSchema(absl::string_view place, const JsonValue& seen,
                           absl::string_view expected);

// Where the value of a keyword goes that is a number, a schema or a list of
// schemas; null if `key` is none of them.
std::optional<double>* NumberKeyword(const std::string& key, SchemaNode* made);
SchemaNodeIndex* SchemaKeyword(const std::string& key, SchemaNode* made);
std::vector<SchemaNodeIndex>* SchemaListKeyword(const std::string& key,
                                                SchemaNode* made);

// The value of the keyword `key`, of `type` and of a list of names.
absl::Status ReadSchemaNumber(const std::string& key, const JsonValue& value,
                              const std::string& place,
                              std::optional<double>* number);
absl::Status ReadSchemaTypes(const JsonValue& value, const std::string& place,
                             uint32_t* types);
absl::StatusOr<std::vector<std::string>> ReadSchemaNames(
    const JsonValue& value, const std::string& place);

}  // namespace kinora

#endif  // KINORA_COMMON_JSON_JSON_SCHEMA_KEYWORDS_H_

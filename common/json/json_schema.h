// A JsonSchema says what form a JSON value has: the JSON Schema of draft
// 2020-12, as producers declare it for their outputs and questions for their
// answers.
//
// What is checked: `type`, `enum`, `const`, all keywords for numbers, lengths
// and counts, `pattern`, `required`, `dependentRequired`, `properties`,
// `patternProperties`, `additionalProperties`, `propertyNames`, `prefixItems`,
// `items`, `contains`, `uniqueItems`, `allOf`, `anyOf`, `oneOf`, `not`,
// `if`/`then`/`else`, `dependentSchemas`, and `$ref` within the document (to
// `#`, a JSON pointer or an `$anchor`).
//
// What is taken for a note, as the draft has it: `format`, `content...`,
// `title`, and every keyword that the draft does not know.
//
// What would be checked by somebody else but cannot be here is refused, not
// ignored: `unevaluated...`, `$dynamicRef`, an `$id` below the top, references
// to other documents, keywords that only older drafts have, another `$schema`,
// and patterns that RE2 does not know (look-around, back references).
//
// A schema is as foreign as what is checked with it. Patterns take linear time;
// a schema that refers to itself without going deeper is refused; whatever
// takes longer than kMaxJsonSchemaSteps is given up.

#ifndef KINORA_COMMON_JSON_JSON_SCHEMA_H_
#define KINORA_COMMON_JSON_JSON_SCHEMA_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/json/json.h"

namespace kinora {

// Limits of a schema.
inline constexpr size_t kMaxJsonSchemaBytes = 256 * 1024;
inline constexpr size_t kMaxSubschemas = 10'000;
inline constexpr size_t kMaxSchemaPatterns = 100;

// Subschemas that are held against values, and what costs about as much: half a
// second.
inline constexpr int64_t kMaxJsonSchemaSteps = 10'000'000;

// The most places that an error names, and the most bytes of it.
inline constexpr size_t kMaxViolations = 5;
inline constexpr size_t kMaxViolationsBytes = 2 * 1024;

struct JsonSchemaNodes;

// Immutable, thread-safe.
class JsonSchema {
 public:
  // INVALID_ARGUMENT naming the place in the schema (`/properties/x/type`), if
  // it is none, or one that cannot be checked here.
  static absl::StatusOr<std::shared_ptr<const JsonSchema>> Compile(
      absl::string_view schema_json);

  ~JsonSchema();

  // OK, or INVALID_ARGUMENT that says where in the value what was expected:
  // `at /shots/0/prompt: expected a string, got 3; ...`. RESOURCE_EXHAUSTED if
  // to find out takes too many steps, or goes too deep.
  absl::Status Check(const JsonValue& value) const;

 private:
  explicit JsonSchema(std::unique_ptr<const JsonSchemaNodes> nodes);

  const std::unique_ptr<const JsonSchemaNodes> nodes_;
};

}  // namespace kinora

#endif  // KINORA_COMMON_JSON_JSON_SCHEMA_H_

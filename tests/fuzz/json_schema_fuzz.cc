// JSON Schemas and values: an array of one of each. What is said of a value
// does not depend on how the schema is wrapped.

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/json/json_schema.h"
#include "tests/fuzz/fuzz_target.h"

namespace kinora {
namespace {

enum class Answer { kFits, kDoesNotFit, kUnknown };

Answer Ask(const std::string& schema_json, const JsonValue& value) {
  const auto schema = JsonSchema::Compile(schema_json);
  if (!schema.ok()) return Answer::kUnknown;
  const absl::Status said = (*schema)->Check(value);
  FUZZ_CHECK(said.message().size() < 2 * kMaxViolationsBytes);
  if (said.ok()) return Answer::kFits;
  return absl::IsInvalidArgument(said) ? Answer::kDoesNotFit : Answer::kUnknown;
}

void CheckSame(Answer expected, const std::string& schema_json,
               const JsonValue& value) {
  const Answer said = Ask(schema_json, value);
  FUZZ_CHECK(said == expected || said == Answer::kUnknown);
}

void CheckPair(const JsonValue& schema, const JsonValue& value) {
  const std::string text = CanonicalJson(schema);
  const Answer said = Ask(text, value);
  // References are from the top of the document.
  if (said == Answer::kUnknown || absl::StrContains(text, "\"$")) return;
  CheckSame(said, absl::StrCat(R"({"allOf":[true,)", text, "]}"), value);
  CheckSame(said, absl::StrCat(R"({"anyOf":[false,)", text, "]}"), value);
  CheckSame(said, absl::StrCat(R"({"oneOf":[)", text, ",false]}"), value);
  CheckSame(said,
            absl::StrCat(R"({"$defs":{"s":)", text, R"(},"$ref":"#/$defs/s"})"),
            value);
  CheckSame(said, absl::StrCat(R"({"not":{"not":)", text, "}}"), value);
  CheckSame(said == Answer::kFits ? Answer::kDoesNotFit : Answer::kFits,
            absl::StrCat(R"({"not":)", text, "}"), value);
  CheckSame(said, absl::StrCat(R"({"if":)", text, R"(,"else":false})"), value);
  CheckSame(said, absl::StrCat(R"({"items":)", text, "}"),
            JsonArray({value, value}));
  CheckSame(said, absl::StrCat(R"({"properties":{"a~/b":)", text, "}}"),
            *ParseJson(absl::StrCat(R"({"a~/b":)", CanonicalJson(value), "}")));
}

}  // namespace
}  // namespace kinora

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kinora;  // NOLINT
  const absl::StatusOr<JsonValue> pair =
      ParseJson(FuzzInput(data, size), {.max_depth = 50});
  if (!pair.ok() || !pair->is_array() || pair->array().size() != 2) return 0;
  CheckPair(pair->array()[0], pair->array()[1]);
  return 0;
}

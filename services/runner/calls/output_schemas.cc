#include "services/runner/calls/output_schemas.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "common/status.h"

namespace kinora {

absl::StatusOr<OutputSchemas> CompileOutputSchemas(
    absl::string_view producer, const v1::DescribeResponse& description) {
  OutputSchemas schemas;
  for (const v1::DeclaredOutput& output : description.outputs()) {
    if (output.schema_json().empty()) continue;
    absl::StatusOr<std::shared_ptr<const JsonSchema>> schema =
        JsonSchema::Compile(output.schema_json());
    if (!schema.ok()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "producer \"", producer, "\": the JSON Schema of its output \"",
          ClipValue(output.name()),
          "\" cannot be used: ", schema.status().message()));
    }
    schemas[output.name()] = *std::move(schema);
  }
  return schemas;
}

}  // namespace kinora

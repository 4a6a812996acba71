// The JSON Schemas that a producer declares for its outputs.

#ifndef KINORA_SERVICES_RUNNER_CALLS_OUTPUT_SCHEMAS_H_
#define KINORA_SERVICES_RUNNER_CALLS_OUTPUT_SCHEMAS_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/json/json_schema.h"
#include "kinora/v1/producer.pb.h"

namespace kinora {

// By the output's name; those without one are not there.
using OutputSchemas = std::map<std::string, std::shared_ptr<const JsonSchema>>;

// FAILED_PRECONDITION naming producer, output and the place in the schema if
// one is none, or cannot be checked here (json_schema.h).
absl::StatusOr<OutputSchemas> CompileOutputSchemas(
    absl::string_view producer, const v1::DescribeResponse& description);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_CALLS_OUTPUT_SCHEMAS_H_

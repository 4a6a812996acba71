// Holds an output against the JSON Schema that its producer declares for it.

#ifndef KINORA_CLIENTS_CPP_PRODUCER_OUTPUT_CHECK_H_
#define KINORA_CLIENTS_CPP_PRODUCER_OUTPUT_CHECK_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "common/json/json.h"
#include "common/json/json_schema.h"

namespace kinora {

// A larger output that has a schema is refused: it is held whole in memory
// while it is checked, as a tree of many times its size.
inline constexpr int64_t kMaxCheckedOutputBytes = int64_t{8} << 20;

// Tells the schema of an output by its name; null for none. May block.
using OutputSchemaSource =
    std::function<absl::StatusOr<std::shared_ptr<const JsonSchema>>(
        const std::string& output)>;

// INVALID_ARGUMENT that says where the value of `output` does not fit.
absl::Status CheckOutput(const JsonSchema& schema, const std::string& output,
                         const JsonValue& value);

// INVALID_ARGUMENT if an output of that size is not checked.
absl::Status CheckOutputSize(const std::string& output, int64_t bytes);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_PRODUCER_OUTPUT_CHECK_H_

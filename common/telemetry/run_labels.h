// The labels that a caller puts on a run.

#ifndef KINORA_COMMON_TELEMETRY_RUN_LABELS_H_
#define KINORA_COMMON_TELEMETRY_RUN_LABELS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/map.h"

namespace kinora {

// OK for at most 32 labels, each of at most 1 KiB of name and value together;
// else INVALID_ARGUMENT for `field`, with their number or the name of the
// longest.
absl::Status ValidateRunLabels(
    absl::string_view field,
    const google::protobuf::Map<std::string, std::string>& labels);

}  // namespace kinora

#endif  // KINORA_COMMON_TELEMETRY_RUN_LABELS_H_

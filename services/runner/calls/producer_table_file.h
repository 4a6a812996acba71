// The producer table as a YAML file:
//
//   producers:
//     narration: {target: "dns:///127.0.0.1:7501", concurrency: 4}

#ifndef KINORA_SERVICES_RUNNER_CALLS_PRODUCER_TABLE_FILE_H_
#define KINORA_SERVICES_RUNNER_CALLS_PRODUCER_TABLE_FILE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"
#include "services/runner/calls/producer_table.h"

namespace kinora {

// INVALID_ARGUMENT naming file and line, or entry and value; else the error of
// reading the file.
absl::StatusOr<ProducerConfigs> LoadProducerTable(FileSystem& files,
                                                  absl::string_view path);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_CALLS_PRODUCER_TABLE_FILE_H_

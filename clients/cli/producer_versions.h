// Versions of the producers for plans.

#ifndef KINORA_CLIENTS_CLI_PRODUCER_VERSIONS_H_
#define KINORA_CLIENTS_CLI_PRODUCER_VERSIONS_H_

#include "absl/status/statusor.h"

#include "clients/cli/connection.h"
#include "kinora/v1/planner.pb.h"

namespace kinora {

// Adds the versions that the producers have now, as far as the runner reaches
// them, so that a new version shows up in the plan; others count as unchanged.
// True if it reaches all. Errors of the runner; then nothing is added.
absl::StatusOr<bool> AddProducerVersions(Connection& connection,
                                         v1::CreatePlanRequest* request);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_PRODUCER_VERSIONS_H_

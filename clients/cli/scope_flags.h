// The flags of `plan` and `run` that narrow or widen what is made.

#ifndef KINORA_CLIENTS_CLI_SCOPE_FLAGS_H_
#define KINORA_CLIENTS_CLI_SCOPE_FLAGS_H_

#include <optional>
#include <vector>

#include "absl/status/statusor.h"

#include "clients/cli/args.h"
#include "kinora/v1/plan.pb.h"

namespace kinora {

// The flags, for a command's table, before `others`.
std::vector<FlagSpec> WithScopeFlags(std::vector<FlagSpec> others);

// What they ask for; nullopt if none is given. INVALID_ARGUMENT names a flag
// whose value is malformed.
absl::StatusOr<std::optional<v1::PlanScope>> ScopeOf(const Args& args);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_SCOPE_FLAGS_H_

// Reads a manifest's canonical JSON straight into a HydratedBase: one pass, no
// tree, no message, about as fast as the bytes come from memory.

#ifndef KINORA_SERVICES_PLANNER_PLAN_MANIFEST_SCANNER_H_
#define KINORA_SERVICES_PLANNER_PLAN_MANIFEST_SCANNER_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "services/planner/graph/graph.h"
#include "services/planner/plan/hydrated_base.h"

namespace kinora {

// The manifest as it concerns `graph`. What is not in the form that
// CanonicalBytes() writes goes through the general parser, whose errors are
// returned; DATA_LOSS as of HydratedBase::Of().
absl::StatusOr<HydratedBase> HydrateManifest(absl::string_view json,
                                             const Graph& graph);

// The first try of it: false, and `builder` in any state, if the text is not of
// that form. For tests.
bool ScanManifest(absl::string_view json, HydratedBaseBuilder* builder);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_MANIFEST_SCANNER_H_

// Reads plans back as messages.

#ifndef KINORA_SERVICES_STORE_PLAN_SAVED_PLAN_H_
#define KINORA_SERVICES_STORE_PLAN_SAVED_PLAN_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/plan.pb.h"
#include "services/store/plan/plan_store.h"

namespace kinora {

// The plan of that hash. Errors of Load(), and those of
// ParseDocument(), naming the plan, if its bytes are none.
absl::StatusOr<v1::Plan> ReadSavedPlan(PlanStore& plans,
                                       absl::string_view movie_id,
                                       absl::string_view plan_hash);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_PLAN_SAVED_PLAN_H_

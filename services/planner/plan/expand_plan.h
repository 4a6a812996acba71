// What a plan has beyond an earlier one, made with the same inputs and base
// before some deciding artefacts had landed.

#ifndef KINORA_SERVICES_PLANNER_PLAN_EXPAND_PLAN_H_
#define KINORA_SERVICES_PLANNER_PLAN_EXPAND_PLAN_H_

#include "kinora/v1/plan.pb.h"
#include "kinora/v1/planner.pb.h"

namespace kinora {

// Takes what it needs out of `now`. Jobs that `saved` has, to run or reused,
// are left out whatever has become of them.
v1::ExpandDeferredGroupResponse ExpansionOf(const v1::Plan& saved,
                                            v1::Plan now);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_EXPAND_PLAN_H_

#include "services/store/plan/saved_plan.h"

#include <string>

#include "absl/strings/str_cat.h"

#include "common/json/proto_json.h"
#include "common/status.h"

namespace kinora {

absl::StatusOr<v1::Plan> ReadSavedPlan(PlanStore& plans,
                                       absl::string_view movie_id,
                                       absl::string_view plan_hash) {
  v1::LoadPlanRequest load;
  load.set_movie_id(std::string(movie_id));
  load.set_plan_hash(std::string(plan_hash));
  KINORA_ASSIGN_OR_RETURN(const std::string json, plans.Load(load));
  v1::Plan plan;
  KINORA_RETURN_IF_ERROR(
      Annotate(ParseDocument(json, &plan), absl::StrCat("plan ", plan_hash)));
  return plan;
}

}  // namespace kinora

// A PlanStore keeps plans by the hash of their canonical bytes.
// ObjectPlanStore keeps them in an ObjectStorage; RemotePlanStore (clients/cpp)
// reaches one over RPC. Errors are those of PlanService in
// proto/kinora/v1/plan.proto.

#ifndef KINORA_SERVICES_STORE_PLAN_PLAN_STORE_H_
#define KINORA_SERVICES_STORE_PLAN_PLAN_STORE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/plan.pb.h"

namespace kinora {

// Thread-safe. Calls may block.
class PlanStore {
 public:
  virtual ~PlanStore() = default;

  // Saves the canonical JSON of a plan.
  virtual absl::StatusOr<v1::SavePlanResponse> Save(
      const v1::SavePlanHeader& header, absl::string_view json) = 0;

  // The stored bytes.
  virtual absl::StatusOr<std::string> Load(
      const v1::LoadPlanRequest& request) = 0;

  virtual absl::StatusOr<v1::SaveProgressResponse> SaveProgress(
      const v1::SaveProgressRequest& request) = 0;
  virtual absl::StatusOr<v1::LoadProgressResponse> LoadProgress(
      const v1::LoadProgressRequest& request) = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_PLAN_PLAN_STORE_H_

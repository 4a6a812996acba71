// A RemotePlanStore is a PlanStore over a channel. See
// clients/cpp/remote_store.h.

#ifndef KINORA_CLIENTS_CPP_REMOTE_PLAN_STORE_H_
#define KINORA_CLIENTS_CPP_REMOTE_PLAN_STORE_H_

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "grpcpp/channel.h"

#include "kinora/v1/plan.grpc.pb.h"
#include "services/store/plan/plan_store.h"

namespace kinora {

class RemotePlanStore final : public PlanStore {
 public:
  RemotePlanStore(const std::shared_ptr<grpc::Channel>& channel,
                  absl::Duration stream_timeout)
      : stub_(v1::PlanService::NewStub(channel)),
        stream_timeout_(stream_timeout) {}

  absl::StatusOr<v1::SavePlanResponse> Save(const v1::SavePlanHeader& header,
                                            absl::string_view json) override;
  absl::StatusOr<std::string> Load(const v1::LoadPlanRequest& request) override;

 private:
  using Stub = v1::PlanService::Stub;

  const std::unique_ptr<Stub> stub_;
  const absl::Duration stream_timeout_;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_REMOTE_PLAN_STORE_H_

// A RemotePlanStore is a PlanStore over a channel. See
// clients/cpp/remote_store.h.

#ifndef KINORA_CLIENTS_CPP_REMOTE_PLAN_STORE_H_
#define KINORA_CLIENTS_CPP_REMOTE_PLAN_STORE_H_

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "grpcpp/channel.h"

#include "common/rpc/unary.h"
#include "kinora/v1/plan.grpc.pb.h"
#include "services/store/plan/plan_store.h"

namespace kinora {

class RemotePlanStore final : public PlanStore {
 public:
  RemotePlanStore(const std::shared_ptr<grpc::Channel>& channel,
                  absl::Duration timeout, absl::Duration stream_timeout)
      : stub_(v1::PlanService::NewStub(channel)),
        timeout_(timeout),
        stream_timeout_(stream_timeout) {}

  absl::StatusOr<v1::SavePlanResponse> Save(const v1::SavePlanHeader& header,
                                            absl::string_view json) override;
  absl::StatusOr<std::string> Load(const v1::LoadPlanRequest& request) override;
  absl::StatusOr<v1::SaveProgressResponse> SaveProgress(
      const v1::SaveProgressRequest& request) override {
    return CallUnary(*stub_, &Stub::SaveProgress, request, timeout_);
  }
  absl::StatusOr<v1::LoadProgressResponse> LoadProgress(
      const v1::LoadProgressRequest& request) override {
    return CallUnary(*stub_, &Stub::LoadProgress, request, timeout_);
  }

 private:
  using Stub = v1::PlanService::Stub;

  const std::unique_ptr<Stub> stub_;
  const absl::Duration timeout_;
  const absl::Duration stream_timeout_;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_REMOTE_PLAN_STORE_H_

#include "clients/cpp/remote_plan_store.h"

#include "clients/cpp/client_stream.h"
#include "common/status.h"

namespace kinora {

absl::StatusOr<v1::SavePlanResponse> RemotePlanStore::Save(
    const v1::SavePlanHeader& header, absl::string_view json) {
  v1::SavePlanRequest request;
  *request.mutable_header() = header;
  UploadStream<v1::SavePlanRequest, v1::SavePlanResponse> stream(
      *stub_, &Stub::SavePlan, request, stream_timeout_);
  KINORA_RETURN_IF_ERROR(stream.Append(json));
  return stream.Finish();
}

absl::StatusOr<std::string> RemotePlanStore::Load(
    const v1::LoadPlanRequest& request) {
  std::string json;
  auto consume = [&](v1::LoadPlanResponse& response) {
    json += response.data();
    return absl::OkStatus();
  };
  KINORA_RETURN_IF_ERROR(
      (ReadStreamToEnd<Stub, v1::LoadPlanRequest, v1::LoadPlanResponse>(
          *stub_, &Stub::LoadPlan, request, stream_timeout_, consume)));
  return json;
}

}  // namespace kinora

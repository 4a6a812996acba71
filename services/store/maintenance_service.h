// MaintenanceRpcService serves MaintenanceService over RPC. Of its calls this
// build has GetServerInfo.

#ifndef KINORA_SERVICES_STORE_MAINTENANCE_SERVICE_H_
#define KINORA_SERVICES_STORE_MAINTENANCE_SERVICE_H_

#include <functional>
#include <utility>

#include "kinora/v1/maintenance.grpc.pb.h"

namespace kinora {

class MaintenanceRpcService final
    : public v1::MaintenanceService::CallbackService {
 public:
  // `info` is called for every GetServerInfo, from any thread; it MUST be short
  // and not block.
  using Info = std::function<v1::GetServerInfoResponse()>;

  explicit MaintenanceRpcService(Info info) : info_(std::move(info)) {}

  grpc::ServerUnaryReactor* GetServerInfo(
      grpc::CallbackServerContext* context,
      const v1::GetServerInfoRequest* request,
      v1::GetServerInfoResponse* response) override;

 private:
  const Info info_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_MAINTENANCE_SERVICE_H_

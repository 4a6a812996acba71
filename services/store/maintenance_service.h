// MaintenanceRpcService serves MaintenanceService over RPC. Of its calls this
// build has GetServerInfo.

#ifndef KINORA_SERVICES_STORE_MAINTENANCE_SERVICE_H_
#define KINORA_SERVICES_STORE_MAINTENANCE_SERVICE_H_

#include <utility>

#include "kinora/v1/maintenance.grpc.pb.h"

namespace kinora {

class MaintenanceRpcService final
    : public v1::MaintenanceService::CallbackService {
 public:
  explicit MaintenanceRpcService(v1::GetServerInfoResponse info)
      : info_(std::move(info)) {}

  grpc::ServerUnaryReactor* GetServerInfo(
      grpc::CallbackServerContext* context,
      const v1::GetServerInfoRequest* request,
      v1::GetServerInfoResponse* response) override;

 private:
  const v1::GetServerInfoResponse info_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_MAINTENANCE_SERVICE_H_

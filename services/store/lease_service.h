// LeaseRpcService serves LeaseService over RPC from a LeaseStore. Calls run on
// the executor; what is not overridden is not part of this build.

#ifndef KINORA_SERVICES_STORE_LEASE_SERVICE_H_
#define KINORA_SERVICES_STORE_LEASE_SERVICE_H_

#include "common/threads/executor.h"
#include "kinora/v1/lease.grpc.pb.h"
#include "services/store/lease/lease_store.h"

namespace kinora {

class LeaseRpcService final : public v1::LeaseService::CallbackService {
 public:
  // Both MUST outlive the server.
  LeaseRpcService(LeaseStore& leases, Executor& executor)
      : leases_(leases), executor_(executor) {}

  grpc::ServerUnaryReactor* AcquireLease(
      grpc::CallbackServerContext* context,
      const v1::AcquireLeaseRequest* request,
      v1::AcquireLeaseResponse* response) override;
  grpc::ServerUnaryReactor* RenewLease(
      grpc::CallbackServerContext* context,
      const v1::RenewLeaseRequest* request,
      v1::RenewLeaseResponse* response) override;
  grpc::ServerUnaryReactor* ReleaseLease(
      grpc::CallbackServerContext* context,
      const v1::ReleaseLeaseRequest* request,
      v1::ReleaseLeaseResponse* response) override;
  grpc::ServerUnaryReactor* GetLease(grpc::CallbackServerContext* context,
                                     const v1::GetLeaseRequest* request,
                                     v1::GetLeaseResponse* response) override;

 private:
  LeaseStore& leases_;
  Executor& executor_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_LEASE_SERVICE_H_

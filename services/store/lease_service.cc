#include "services/store/lease_service.h"

#include "common/rpc/unary.h"

namespace kinora {

grpc::ServerUnaryReactor* LeaseRpcService::AcquireLease(
    grpc::CallbackServerContext* context,
    const v1::AcquireLeaseRequest* request,
    v1::AcquireLeaseResponse* response) {
  return ServeUnary(
      context, executor_, request, response,
      [this](const v1::AcquireLeaseRequest& r) { return leases_.Acquire(r); });
}

grpc::ServerUnaryReactor* LeaseRpcService::RenewLease(
    grpc::CallbackServerContext* context, const v1::RenewLeaseRequest* request,
    v1::RenewLeaseResponse* response) {
  return ServeUnary(
      context, executor_, request, response,
      [this](const v1::RenewLeaseRequest& r) { return leases_.Renew(r); });
}

grpc::ServerUnaryReactor* LeaseRpcService::ReleaseLease(
    grpc::CallbackServerContext* context,
    const v1::ReleaseLeaseRequest* request,
    v1::ReleaseLeaseResponse* response) {
  return ServeUnary(
      context, executor_, request, response,
      [this](const v1::ReleaseLeaseRequest& r) { return leases_.Release(r); });
}

grpc::ServerUnaryReactor* LeaseRpcService::GetLease(
    grpc::CallbackServerContext* context, const v1::GetLeaseRequest* request,
    v1::GetLeaseResponse* response) {
  return ServeUnary(
      context, executor_, request, response,
      [this](const v1::GetLeaseRequest& r) { return leases_.Get(r); });
}

}  // namespace kinora

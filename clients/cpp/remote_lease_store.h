// A RemoteLeaseStore is a LeaseStore over a channel. See
// clients/cpp/remote_store.h.

#ifndef KINORA_CLIENTS_CPP_REMOTE_LEASE_STORE_H_
#define KINORA_CLIENTS_CPP_REMOTE_LEASE_STORE_H_

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"

#include "common/rpc/unary.h"
#include "common/rpc/unary_calls.h"
#include "kinora/v1/lease.grpc.pb.h"
#include "services/store/lease/lease_store.h"

namespace kinora {

class RemoteLeaseStore final : public LeaseStore {
 public:
  RemoteLeaseStore(const std::shared_ptr<grpc::Channel>& channel,
                   absl::Duration timeout)
      : stub_(v1::LeaseService::NewStub(channel)), timeout_(timeout) {}

  absl::StatusOr<v1::AcquireLeaseResponse> Acquire(
      const v1::AcquireLeaseRequest& request) override {
    return CallUnary(*stub_, &Stub::AcquireLease, request, timeout_);
  }
  absl::StatusOr<v1::RenewLeaseResponse> Renew(
      const v1::RenewLeaseRequest& request) override {
    return CallUnary(*stub_, &Stub::RenewLease, request, timeout_);
  }
  void BeginRenewal(const v1::RenewLeaseRequest& request,
                    absl::Duration timeout, Renewed done) override {
    renewals_.Start<v1::RenewLeaseResponse>(
        request, std::min(timeout, timeout_),
        [this](auto... call) {
          stub_->async()->RenewLease(std::move(call)...);
        },
        std::move(done));
  }
  absl::StatusOr<v1::ReleaseLeaseResponse> Release(
      const v1::ReleaseLeaseRequest& request) override {
    return CallUnary(*stub_, &Stub::ReleaseLease, request, timeout_);
  }
  absl::StatusOr<v1::GetLeaseResponse> Get(
      const v1::GetLeaseRequest& request) override {
    return CallUnary(*stub_, &Stub::GetLease, request, timeout_);
  }

 private:
  using Stub = v1::LeaseService::Stub;

  const std::unique_ptr<Stub> stub_;
  const absl::Duration timeout_;
  UnaryCalls renewals_;  // end before the stub
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_REMOTE_LEASE_STORE_H_

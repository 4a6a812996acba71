// A LeaseStore grants leases with fencing tokens. LeaseTable keeps them for
// one store process; RemoteLeaseStore (clients/cpp) reaches one over RPC.
// Errors and guarantees are those of LeaseService in
// proto/kinora/v1/lease.proto.

#ifndef KINORA_SERVICES_STORE_LEASE_LEASE_STORE_H_
#define KINORA_SERVICES_STORE_LEASE_LEASE_STORE_H_

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "kinora/v1/lease.pb.h"

namespace kinora {

// Of holders that live in the process of the store itself: what such a one held
// before the store was opened has nobody behind it any more, and is free.
inline constexpr absl::string_view kInProcessHolderPrefix = "in-process/";

// Thread-safe. Calls may block.
class LeaseStore {
 public:
  virtual ~LeaseStore() = default;

  virtual absl::StatusOr<v1::AcquireLeaseResponse> Acquire(
      const v1::AcquireLeaseRequest& request) = 0;
  virtual absl::StatusOr<v1::RenewLeaseResponse> Renew(
      const v1::RenewLeaseRequest& request) = 0;

  // Renew() for those who keep many leases: it does not wait for a store that
  // is elsewhere, so one that is slow, or answers for some leases and not for
  // others, takes no thread. `done` is called once, on any thread, maybe before
  // this returns; it MUST NOT block. A store elsewhere that has not answered
  // within `timeout` is DEADLINE_EXCEEDED.
  using Renewed =
      absl::AnyInvocable<void(absl::StatusOr<v1::RenewLeaseResponse>)>;
  virtual void BeginRenewal(const v1::RenewLeaseRequest& request,
                            absl::Duration timeout, Renewed done);

  virtual absl::StatusOr<v1::ReleaseLeaseResponse> Release(
      const v1::ReleaseLeaseRequest& request) = 0;
  virtual absl::StatusOr<v1::GetLeaseResponse> Get(
      const v1::GetLeaseRequest& request) = 0;
};

// Of a store in this process, where a renewal is a matter of memory.
inline void LeaseStore::BeginRenewal(const v1::RenewLeaseRequest& request,
                                     absl::Duration /*timeout*/, Renewed done) {
  done(Renew(request));
}

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_LEASE_LEASE_STORE_H_

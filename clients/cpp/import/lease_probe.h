// A LeaseProbe stands before the leases of a store in tests of the import: it
// notes what they are asked for, lets somebody else come in between, and leaves
// leases behind as a caller that was killed does.

#ifndef KINORA_CLIENTS_CPP_IMPORT_LEASE_PROBE_H_
#define KINORA_CLIENTS_CPP_IMPORT_LEASE_PROBE_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "services/store/store.h"

namespace kinora {

// Not thread-safe.
class LeaseProbe final : public LeaseStore {
 public:
  explicit LeaseProbe(const Store& base) : base_(base) {}

  // The store with this in place of its leases.
  Store store() {
    return {base_.movies, base_.blobs, base_.events, base_.manifests,
            base_.plans,  *this,       base_.runs,   base_.maintenance};
  }

  // Called once, after the next lease was granted.
  void AfterAcquire(std::function<void()> then) { then_ = std::move(then); }
  // From now on nothing is released.
  void KeepAll() { keeps_ = true; }

  // "holder: purpose" of what was granted, in order.
  const std::vector<std::string>& granted() const { return granted_; }

  absl::StatusOr<v1::AcquireLeaseResponse> Acquire(
      const v1::AcquireLeaseRequest& request) override {
    absl::StatusOr<v1::AcquireLeaseResponse> response =
        base_.leases.Acquire(request);
    if (!response.ok()) return response;
    granted_.push_back(request.holder() + ": " + request.purpose());
    if (then_ != nullptr) std::exchange(then_, nullptr)();
    return response;
  }
  absl::StatusOr<v1::RenewLeaseResponse> Renew(
      const v1::RenewLeaseRequest& request) override {
    return base_.leases.Renew(request);
  }
  absl::StatusOr<v1::ReleaseLeaseResponse> Release(
      const v1::ReleaseLeaseRequest& request) override {
    if (keeps_) return v1::ReleaseLeaseResponse();
    return base_.leases.Release(request);
  }
  absl::StatusOr<v1::GetLeaseResponse> Get(
      const v1::GetLeaseRequest& request) override {
    return base_.leases.Get(request);
  }

 private:
  const Store base_;
  std::function<void()> then_;
  bool keeps_ = false;
  std::vector<std::string> granted_;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_IMPORT_LEASE_PROBE_H_

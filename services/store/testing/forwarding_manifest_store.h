// A ForwardingManifestStore is another manifest store: what tests derive from
// to change some of what it does.

#ifndef KINORA_SERVICES_STORE_TESTING_FORWARDING_MANIFEST_STORE_H_
#define KINORA_SERVICES_STORE_TESTING_FORWARDING_MANIFEST_STORE_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "services/store/manifest/manifest_store.h"
#include "services/store/store.h"

namespace kinora {

// As thread-safe as its base.
class ForwardingManifestStore : public ManifestStore {
 public:
  // `base` MUST outlive this.
  explicit ForwardingManifestStore(ManifestStore& base) : base_(base) {}

  // The store with this in the place of its manifests.
  Store Within(const Store& store) {
    return {store.movies, store.blobs,  store.events, *this,
            store.plans,  store.leases, store.runs,   store.maintenance};
  }

  absl::StatusOr<v1::GetCurrentManifestResponse> GetCurrent(
      const v1::GetCurrentManifestRequest& request) override {
    return base_.GetCurrent(request);
  }
  absl::StatusOr<StoredManifest> Get(
      const v1::GetManifestRequest& request) override {
    return base_.Get(request);
  }
  absl::StatusOr<v1::ManifestPointer> Read(
      const v1::GetManifestRequest& request,
      absl::FunctionRef<absl::Status(absl::string_view)> sink) override {
    return base_.Read(request, sink);
  }
  absl::StatusOr<v1::ListManifestsResponse> List(
      const v1::ListManifestsRequest& request) override {
    return base_.List(request);
  }
  absl::StatusOr<StoredManifest> Build(
      const v1::BuildManifestRequest& request) override {
    return base_.Build(request);
  }
  absl::StatusOr<v1::PublishManifestResponse> Publish(
      const v1::PublishManifestHeader& header,
      absl::string_view json) override {
    return base_.Publish(header, json);
  }
  absl::StatusOr<v1::CommitRevisionResponse> Commit(
      const v1::CommitRevisionRequest& request) override {
    return base_.Commit(request);
  }
  absl::StatusOr<v1::RevertRevisionResponse> Revert(
      const v1::RevertRevisionRequest& request) override {
    return base_.Revert(request);
  }

 private:
  ManifestStore& base_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_TESTING_FORWARDING_MANIFEST_STORE_H_

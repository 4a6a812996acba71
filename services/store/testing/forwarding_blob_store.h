// A ForwardingBlobStore is another blob store: what tests derive from to change
// some of what it does.

#ifndef KINORA_SERVICES_STORE_TESTING_FORWARDING_BLOB_STORE_H_
#define KINORA_SERVICES_STORE_TESTING_FORWARDING_BLOB_STORE_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "services/store/blob/blob_store.h"

namespace kinora {

// As thread-safe as its base.
class ForwardingBlobStore : public BlobStore {
 public:
  // `base` MUST outlive this.
  explicit ForwardingBlobStore(BlobStore& base) : base_(base) {}

  std::shared_ptr<void> HoldBlobs(absl::string_view movie_id) override {
    return base_.HoldBlobs(movie_id);
  }
  absl::StatusOr<std::unique_ptr<BlobUpload>> StartUpload(
      const v1::WriteBlobHeader& header) override {
    return base_.StartUpload(header);
  }
  absl::StatusOr<std::unique_ptr<BlobReader>> StartRead(
      const v1::ReadBlobRequest& request) override {
    return base_.StartRead(request);
  }
  absl::Status Read(const v1::ReadBlobRequest& request, Sink sink) override {
    return base_.Read(request, sink);
  }
  absl::StatusOr<v1::BatchWriteBlobsResponse> BatchWrite(
      const v1::BatchWriteBlobsRequest& request) override {
    return base_.BatchWrite(request);
  }
  absl::StatusOr<v1::BatchReadBlobsResponse> BatchRead(
      const v1::BatchReadBlobsRequest& request) override {
    return base_.BatchRead(request);
  }
  absl::StatusOr<v1::FindMissingBlobsResponse> FindMissing(
      const v1::FindMissingBlobsRequest& request) override {
    return base_.FindMissing(request);
  }
  absl::StatusOr<v1::StatBlobResponse> Stat(
      const v1::StatBlobRequest& request) override {
    return base_.Stat(request);
  }

 private:
  BlobStore& base_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_TESTING_FORWARDING_BLOB_STORE_H_

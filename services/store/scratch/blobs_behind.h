// A BlobsBehind is a BlobStore that writes into one store and reads from two:
// what is not in the front one is read from the one behind it, in which it
// never leaves a trace. What a copy of a movie without its blobs works on.

#ifndef KINORA_SERVICES_STORE_SCRATCH_BLOBS_BEHIND_H_
#define KINORA_SERVICES_STORE_SCRATCH_BLOBS_BEHIND_H_

#include <memory>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "common/threads/mutex.h"
#include "services/store/blob/blob_store.h"

namespace kinora {

// Thread-safe. Errors are those of the stores.
class BlobsBehind final : public BlobStore {
 public:
  // Both MUST outlive this, and know the same movie.
  BlobsBehind(BlobStore& front, BlobStore& behind)
      : front_(front), behind_(behind) {}

  // From now on the blob counts as present, though its bytes may be nowhere:
  // reading it is NOT_FOUND then.
  void Expect(const v1::Digest& digest);

  std::shared_ptr<void> HoldBlobs(absl::string_view movie_id) override {
    return front_.HoldBlobs(movie_id);
  }
  absl::StatusOr<std::unique_ptr<BlobUpload>> StartUpload(
      const v1::WriteBlobHeader& header) override {
    return front_.StartUpload(header);
  }
  absl::StatusOr<v1::BatchWriteBlobsResponse> BatchWrite(
      const v1::BatchWriteBlobsRequest& request) override {
    return front_.BatchWrite(request);
  }
  absl::Status Read(const v1::ReadBlobRequest& request, Sink sink) override;
  absl::StatusOr<v1::BatchReadBlobsResponse> BatchRead(
      const v1::BatchReadBlobsRequest& request) override;
  // Of the store behind by StatBlob: to it, being asked whether a blob is
  // missing is a use, which it writes down.
  absl::StatusOr<v1::FindMissingBlobsResponse> FindMissing(
      const v1::FindMissingBlobsRequest& request) override;
  absl::StatusOr<v1::StatBlobResponse> Stat(
      const v1::StatBlobRequest& request) override;

 private:
  BlobStore& front_;
  BlobStore& behind_;
  Mutex mu_;
  // Hashes of those that are behind, or are expected.
  absl::flat_hash_set<std::string> present_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_SCRATCH_BLOBS_BEHIND_H_

// An ObjectBlobStore keeps blobs as objects: the bytes of the blob with SHA-256
// 7f3c... are exactly the object `builds/<movie>/blobs/7f/7f3c...`, so that
// sha256sum agrees with the name. A blob appears whole or not at all and is
// never rewritten. The empty blob always exists and has no object.

#ifndef KINORA_SERVICES_STORE_BLOB_OBJECT_BLOB_STORE_H_
#define KINORA_SERVICES_STORE_BLOB_OBJECT_BLOB_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

#include "common/clock.h"
#include "common/digest.h"
#include "common/telemetry/metrics.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"
#include "services/store/blob/blob_store.h"
#include "services/store/blob/blob_usage.h"
#include "services/store/blob/blob_uses.h"
#include "services/store/blob/object_blob_reader.h"
#include "services/store/blob/use_horizon.h"
#include "services/store/movie/movie_catalog.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Most bytes in one batch: leaves room for the rest of a 16 MiB message. The
// more blobs are in one, the less each has of the two syncs for all of them.
inline constexpr int64_t kMaxBatchBytes = int64_t{12} << 20;
// Most digests in one FindMissing.
inline constexpr int kMaxDigestsPerRequest = 10'000;
// Most bytes a read hands on at once.
inline constexpr int64_t kBlobReadBytes = int64_t{1} << 20;

struct ObjectBlobStoreOptions {
  int64_t max_blob_bytes = 0;  // 0 for no limit
  // For how long a blob that was written or found present stays, whatever
  // becomes of what names it.
  absl::Duration grace = absl::Hours(1);
  // Helps to hash large uploads; null if nobody does.
  Executor* executor = nullptr;
  // Where bytes are counted; null for nowhere.
  MetricsRegistry* metrics = nullptr;
};

// What a blob store counts.
struct BlobMetrics {
  explicit BlobMetrics(MetricsRegistry& registry);

  Counter& written;  // blobs that were not there before
  Counter& written_bytes;
  Counter& read_bytes;
};

// Thread-safe.
class ObjectBlobStore final : public BlobStore {
 public:
  using Options = ObjectBlobStoreOptions;

  // All MUST outlive the store, and the store its uploads.
  ObjectBlobStore(ObjectStorage& storage, MovieCatalog& movies, Clock& clock,
                  const Options& options)
      : storage_(storage),
        movies_(movies),
        clock_(clock),
        options_(options),
        horizon_(storage),
        usage_(storage) {
    if (options.metrics != nullptr) metrics_.emplace(*options.metrics);
    movies.OnDeleted([this](absl::string_view movie_id) {
      horizon_.Forget(movie_id);
      usage_.Forget(movie_id);
    });
  }

  std::shared_ptr<void> HoldBlobs(absl::string_view movie_id) override {
    return uses_.HoldOf(movie_id);
  }

  absl::StatusOr<std::unique_ptr<BlobUpload>> StartUpload(
      const v1::WriteBlobHeader& header) override;
  absl::StatusOr<std::unique_ptr<BlobReader>> StartRead(
      const v1::ReadBlobRequest& request) override;
  absl::Status Read(const v1::ReadBlobRequest& request, Sink sink) override;
  absl::StatusOr<v1::BatchWriteBlobsResponse> BatchWrite(
      const v1::BatchWriteBlobsRequest& request) override;
  absl::StatusOr<v1::BatchReadBlobsResponse> BatchRead(
      const v1::BatchReadBlobsRequest& request) override;
  absl::StatusOr<v1::FindMissingBlobsResponse> FindMissing(
      const v1::FindMissingBlobsRequest& request) override;
  absl::StatusOr<v1::StatBlobResponse> Stat(
      const v1::StatBlobRequest& request) override;

  // Stores `bytes`, whose digest is `digest`, as a blob of a movie that may not
  // exist yet, for a caller with a hold of uses() in which it is noted.
  // RESOURCE_EXHAUSTED (LIMIT_EXCEEDED) if the movie would hold more than
  // `max_blob_bytes` by that; 0 is no limit.
  absl::Status Keep(absl::string_view movie_id, const Digest& digest,
                    absl::string_view bytes, int64_t max_blob_bytes);

  // For collections.

  BlobUses& uses() { return uses_; }

  // When a blob was used last. That `info` does not show all uses is taken into
  // account.
  absl::StatusOr<absl::Time> LastUse(absl::string_view movie_id,
                                     const ObjectInfo& info);

  // Deletes blobs, durably. After an error some may be gone.
  absl::Status Delete(absl::string_view movie_id,
                      absl::Span<const ObjectInfo> blobs);

  // A collection with the grace `grace` may delete a blob once its last use is
  // that long ago; the default grace is options.grace.
  absl::Duration KeptAfterUse(absl::Duration grace) const;
  absl::Duration default_grace() const { return options_.grace; }

 private:
  friend class ObjectBlobUpload;

  // Counts a blob that is new.
  void CountWritten(int64_t bytes) {
    if (!metrics_.has_value()) return;
    metrics_->written.Add();
    metrics_->written_bytes.Add(bytes);
  }

  // Size and age of a blob; BLOB_NOT_FOUND also if its size is not the one
  // that `digest` names.
  absl::StatusOr<ObjectInfo> Find(absl::string_view movie_id,
                                  const v1::Digest& digest);
  // As Find(), for somebody who will rely on the blob: notes its use.
  absl::StatusOr<ObjectInfo> Use(const BlobUses::Hold& hold,
                                 absl::string_view movie_id,
                                 const v1::Digest& digest);
  // Makes a blob young that is in use, unless it is.
  absl::Status Renew(absl::string_view movie_id, const ObjectInfo& info);

  // Removes what stands in the blob's place and has not its size, because the
  // disk lost or somebody cut it: else it would be taken for the blob by those
  // who bring it again.
  absl::Status RemoveDamaged(absl::string_view movie_id, absl::string_view key,
                             int64_t size);

  // Makes the staged bytes, `size` of them, a blob. False if the movie had it
  // already. RESOURCE_EXHAUSTED (LIMIT_EXCEEDED) if the movie's quota does not
  // allow it.
  absl::StatusOr<bool> Commit(absl::string_view movie_id, const Digest& digest,
                              int64_t size, ObjectWriter& writer);

  // The blob, opened; null for the empty one. Errors as of Find().
  absl::StatusOr<std::unique_ptr<ObjectReader>> Open(absl::string_view movie_id,
                                                     const v1::Digest& digest);

  absl::Status CheckBatchBlob(absl::string_view movie_id, int index,
                              const v1::Digest& expected, const Digest& digest,
                              int64_t size);
  // Calls `each` for every blob of a batch, on a second thread, too, if the
  // bytes of all are worth it.
  void Spread(size_t blobs, int64_t bytes,
              absl::FunctionRef<void(size_t)> each);
  // All of one blob, verified.
  absl::StatusOr<std::string> ReadOne(absl::string_view movie_id,
                                      const v1::Digest& digest);
  // As StartRead().
  absl::StatusOr<std::unique_ptr<ObjectBlobReader>> OpenReader(
      const v1::ReadBlobRequest& request);

  ObjectStorage& storage_;
  MovieCatalog& movies_;
  Clock& clock_;
  const Options options_;
  std::optional<BlobMetrics> metrics_;
  BlobUses uses_;
  UseHorizon horizon_;
  BlobUsage usage_;
  Mutex damaged_mu_;  // held while a damaged blob is removed
};

// OK if `digest` has a well-formed hash and a size that is not negative, and
// size 0 only with the empty blob's hash or as "unknown" where
// `size_required` is not set. INVALID_ARGUMENT for `field`.
absl::Status ValidateDigest(absl::string_view field, const v1::Digest& digest,
                            bool size_required);

// The same of one entry of a list: INVALID_ARGUMENT for `field[index]`.
absl::Status ValidateDigestAt(absl::string_view field, int index,
                              const v1::Digest& digest, bool size_required);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BLOB_OBJECT_BLOB_STORE_H_

// An ObjectBlobUpload hashes the bytes of one blob as they come and stages
// them, unless the movie has the blob already; then they need only be checked.

#ifndef KINORA_SERVICES_STORE_BLOB_OBJECT_BLOB_UPLOAD_H_
#define KINORA_SERVICES_STORE_BLOB_OBJECT_BLOB_UPLOAD_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "common/digest.h"
#include "services/store/blob/blob_store.h"
#include "services/store/blob/blob_uses.h"
#include "services/store/blob/object_blob_store.h"
#include "services/store/movie/movie_holds.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// From so many bytes on help with hashing is worth its some 20 microseconds.
inline constexpr int64_t kMinBytesForHelp = int64_t{64} << 10;

// How large a blob may be, and who says so.
struct BlobLimit {
  int64_t bytes = 0;     // 0 for no limit
  absl::string_view of;  // a literal, such as kStoreBlobLimit

  // Takes another limit if that is lower.
  void Lower(int64_t other_bytes, absl::string_view other) {
    if (other_bytes == 0 || (bytes != 0 && bytes <= other_bytes)) return;
    bytes = other_bytes;
    of = other;
  }

  // RESOURCE_EXHAUSTED (LIMIT_EXCEEDED) naming the limit, for a blob of more
  // than so many bytes.
  absl::Status Check(absl::string_view movie_id, int64_t size) const;
};

inline constexpr absl::string_view kStoreBlobLimit =
    "the store's max_blob_bytes";
inline constexpr absl::string_view kRequestBlobLimit =
    "the request's max_size_bytes";
inline constexpr absl::string_view kQuotaBlobLimit = "the movie's quota";

class ObjectBlobUpload final : public BlobUpload {
 public:
  // `movie` was taken before the movie was found to exist. `writer` stages the
  // bytes. It is null if the expected blob exists; `hold`, under which that was
  // seen, sees to it that it goes on to. `store` MUST outlive this.
  ObjectBlobUpload(ObjectBlobStore& store, const v1::WriteBlobHeader& header,
                   const BlobLimit& limit,
                   std::unique_ptr<MovieHolds::Hold> movie,
                   std::unique_ptr<ObjectWriter> writer,
                   std::shared_ptr<BlobUses::Hold> hold)
      : store_(store),
        movie_id_(header.movie_id()),
        expected_(header.expected_digest()),
        limit_(limit),
        movie_(std::move(movie)),
        writer_(std::move(writer)),
        hold_(std::move(hold)) {}

  // Large pieces are hashed beside being written, with the help of the store's
  // executor. Once one of these has failed, all calls answer its error.
  absl::Status Append(absl::string_view bytes) override;
  absl::Status AppendParts(absl::Span<const absl::string_view> parts) override;

  // INVALID_ARGUMENT (DIGEST_MISMATCH) if the bytes are not the expected ones;
  // NOT_FOUND (MOVIE_NOT_FOUND) if the movie was deleted since the upload
  // began, also if there is a new one of its id.
  absl::StatusOr<v1::WriteBlobResponse> Finish() override;

 private:
  absl::Status Take(absl::Span<const absl::string_view> parts);
  absl::StatusOr<v1::WriteBlobResponse> Publish();

  ObjectBlobStore& store_;
  const std::string movie_id_;
  const v1::Digest expected_;
  const BlobLimit limit_;
  const std::unique_ptr<MovieHolds::Hold> movie_;
  const std::unique_ptr<ObjectWriter> writer_;
  const std::shared_ptr<BlobUses::Hold> hold_;
  Sha256 hasher_;
  int64_t size_ = 0;
  absl::Status failed_;  // the first error
};

// OK if nothing is expected. INVALID_ARGUMENT (DIGEST_MISMATCH).
absl::Status CheckExpectedDigest(absl::string_view movie_id,
                                 const v1::Digest& expected,
                                 const Digest& digest, int64_t size);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BLOB_OBJECT_BLOB_UPLOAD_H_

// An ObjectBlobUpload hashes the bytes of one blob as they come and stages
// them, unless the movie has the blob already.

#ifndef KINORA_SERVICES_STORE_BLOB_OBJECT_BLOB_UPLOAD_H_
#define KINORA_SERVICES_STORE_BLOB_OBJECT_BLOB_UPLOAD_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/digest.h"
#include "services/store/blob/blob_store.h"
#include "services/store/object/object_storage.h"

namespace kinora {

class ObjectBlobUpload final : public BlobUpload {
 public:
  // `writer` stages the bytes; null if the blob that `expected` names exists,
  // when the bytes need only be checked. `expected` may be empty; `max_bytes`
  // is 0 for no limit.
  ObjectBlobUpload(std::string movie_id, v1::Digest expected, int64_t max_bytes,
                   std::unique_ptr<ObjectWriter> writer)
      : movie_id_(std::move(movie_id)),
        expected_(std::move(expected)),
        max_bytes_(max_bytes),
        writer_(std::move(writer)) {}

  absl::Status Append(absl::string_view bytes) override;

  // INVALID_ARGUMENT (DIGEST_MISMATCH) if the bytes are not the expected ones.
  absl::StatusOr<v1::WriteBlobResponse> Finish() override;

 private:
  const std::string movie_id_;
  const v1::Digest expected_;
  const int64_t max_bytes_;
  const std::unique_ptr<ObjectWriter> writer_;
  Sha256 hasher_;
  int64_t size_ = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BLOB_OBJECT_BLOB_UPLOAD_H_

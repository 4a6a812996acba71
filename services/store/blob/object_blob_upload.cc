#include "services/store/blob/object_blob_upload.h"

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/status.h"
#include "common/threads/run_beside.h"

namespace kinora {

absl::Status BlobLimit::Check(absl::string_view movie_id, int64_t size) const {
  if (bytes == 0 || size <= bytes) return absl::OkStatus();
  return WithReason(absl::ResourceExhaustedError(absl::StrCat(
                        "blob of movie \"", movie_id, "\" has more than ", of,
                        ", ", bytes, " bytes")),
                    "LIMIT_EXCEEDED", {{"movie", movie_id}});
}

absl::Status CheckExpectedDigest(absl::string_view movie_id,
                                 const v1::Digest& expected,
                                 const Digest& digest, int64_t size) {
  if (expected.hash().empty()) return absl::OkStatus();
  const std::string hash = digest.Hex();
  // A size of 0 beside a hash means that the caller did not know it.
  const bool wrong_size =
      expected.size_bytes() != 0 && expected.size_bytes() != size;
  if (expected.hash() == hash && !wrong_size) return absl::OkStatus();
  return WithReason(absl::InvalidArgumentError(absl::StrCat(
                        "blob has digest ", hash, "/", size, ", expected ",
                        expected.hash(), "/", expected.size_bytes())),
                    "DIGEST_MISMATCH", {{"movie", movie_id}, {"value", hash}});
}

absl::Status ObjectBlobUpload::Append(absl::string_view bytes) {
  return AppendParts({bytes});
}

absl::Status ObjectBlobUpload::AppendParts(
    absl::Span<const absl::string_view> parts) {
  // Some of the bytes may be staged, or hashed, and others not: what comes
  // after them is not to be looked at.
  KINORA_RETURN_IF_ERROR(failed_);
  failed_ = Take(parts);
  return failed_;
}

absl::Status ObjectBlobUpload::Take(absl::Span<const absl::string_view> parts) {
  int64_t size = size_;
  for (absl::string_view part : parts)
    size += static_cast<int64_t>(part.size());
  KINORA_RETURN_IF_ERROR(limit_.Check(movie_id_, size));
  const auto hash = [&] {
    for (absl::string_view part : parts) hasher_.Update(part);
  };
  const auto write = [&]() -> absl::Status {
    for (absl::string_view part : parts) {
      KINORA_RETURN_IF_ERROR(writer_->Append(part));
    }
    return absl::OkStatus();
  };
  Executor* const helper = store_.options_.executor;
  if (writer_ == nullptr) {
    hash();
  } else if (helper == nullptr || size - size_ < kMinBytesForHelp) {
    KINORA_RETURN_IF_ERROR(write());
    hash();
  } else {
    absl::Status written;
    RunBeside(*helper, hash, [&] { written = write(); });
    KINORA_RETURN_IF_ERROR(written);
  }
  size_ = size;
  return absl::OkStatus();
}

absl::StatusOr<v1::WriteBlobResponse> ObjectBlobUpload::Finish() {
  KINORA_RETURN_IF_ERROR(failed_);
  absl::StatusOr<v1::WriteBlobResponse> response = Publish();
  failed_ = response.status();
  return response;
}

absl::StatusOr<v1::WriteBlobResponse> ObjectBlobUpload::Publish() {
  const Digest digest = hasher_.Finish();
  KINORA_RETURN_IF_ERROR(
      CheckExpectedDigest(movie_id_, expected_, digest, size_));
  v1::WriteBlobResponse response;
  response.mutable_digest()->set_hash(digest.Hex());
  response.mutable_digest()->set_size_bytes(size_);
  response.set_existed(true);
  if (movie_->deleted()) return MovieNotFound(movie_id_);
  absl::Status status;
  if (writer_ != nullptr && digest != kEmptyDigest) {
    const absl::StatusOr<bool> created =
        store_.Commit(movie_id_, digest, size_, *writer_);
    status = created.status();
    if (created.ok()) response.set_existed(!*created);
  }
  // Whatever the new movie of that id said to it.
  if (movie_->deleted()) return MovieNotFound(movie_id_);
  KINORA_RETURN_IF_ERROR(status);
  return response;
}

}  // namespace kinora

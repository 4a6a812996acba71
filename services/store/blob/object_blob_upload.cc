#include "services/store/blob/object_blob_upload.h"

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/status.h"

namespace kinora {

absl::Status ObjectBlobUpload::Append(absl::string_view bytes) {
  const int64_t size = size_ + static_cast<int64_t>(bytes.size());
  if (max_bytes_ > 0 && size > max_bytes_) {
    return WithReason(
        absl::ResourceExhaustedError(absl::StrCat(
            "blob of movie \"", movie_id_, "\" is larger than its limit of ",
            max_bytes_, " bytes")),
        "LIMIT_EXCEEDED", {{"movie", movie_id_}});
  }
  if (writer_ != nullptr) KINORA_RETURN_IF_ERROR(writer_->Append(bytes));
  hasher_.Update(bytes);
  size_ = size;
  return absl::OkStatus();
}

absl::StatusOr<v1::WriteBlobResponse> ObjectBlobUpload::Finish() {
  const Digest digest = hasher_.Finish();
  const std::string hash = digest.Hex();
  // A size of 0 beside a hash means that the caller did not know it.
  const bool wrong_size =
      expected_.size_bytes() != 0 && expected_.size_bytes() != size_;
  if (!expected_.hash().empty() && (expected_.hash() != hash || wrong_size)) {
    return WithReason(absl::InvalidArgumentError(absl::StrCat(
                          "blob has digest ", hash, "/", size_, ", expected ",
                          expected_.hash(), "/", expected_.size_bytes())),
                      "DIGEST_MISMATCH",
                      {{"movie", movie_id_}, {"value", hash}});
  }
  v1::WriteBlobResponse response;
  response.mutable_digest()->set_hash(hash);
  response.mutable_digest()->set_size_bytes(size_);
  response.set_existed(true);
  if (writer_ != nullptr && digest != kEmptyDigest) {
    KINORA_ASSIGN_OR_RETURN(const bool created,
                            store_.Commit(movie_id_, digest, size_, *writer_));
    response.set_existed(!created);
  }
  return response;
}

}  // namespace kinora

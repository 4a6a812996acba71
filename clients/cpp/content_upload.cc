#include "clients/cpp/content_upload.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/status.h"

namespace kinora {

absl::StatusOr<v1::WriteBlobResponse> UploadBytes(BlobStore& blobs,
                                                  absl::string_view movie_id,
                                                  absl::string_view bytes) {
  v1::WriteBlobHeader header;
  header.set_movie_id(std::string(movie_id));
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<BlobUpload> upload,
                          blobs.StartUpload(header));
  KINORA_RETURN_IF_ERROR(upload->Append(bytes));
  return upload->Finish();
}

absl::Status UploadIfLarge(BlobStore& blobs, absl::string_view movie_id,
                           int64_t inline_limit, v1::Content* content) {
  if (!content->has_inline_()) return absl::OkStatus();
  const v1::InlineValue& value = content->inline_();
  if (static_cast<int64_t>(value.data().size()) <= inline_limit) {
    return absl::OkStatus();
  }
  KINORA_ASSIGN_OR_RETURN(v1::WriteBlobResponse written,
                          UploadBytes(blobs, movie_id, value.data()));
  v1::BlobRef blob;
  blob.set_mime_type(value.mime_type());
  *blob.mutable_digest() = std::move(*written.mutable_digest());
  *content->mutable_blob() = std::move(blob);
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadContent(BlobStore& blobs,
                                        absl::string_view movie_id,
                                        const v1::Content& content,
                                        int64_t limit) {
  if (!content.has_blob()) return content.inline_().data();
  v1::ReadBlobRequest request;
  request.set_movie_id(std::string(movie_id));
  *request.mutable_digest() = content.blob().digest();
  std::string bytes;
  KINORA_RETURN_IF_ERROR(
      blobs.Read(request, [&](absl::string_view piece) -> absl::Status {
        if (static_cast<int64_t>(bytes.size() + piece.size()) > limit) {
          return WithReason(absl::ResourceExhaustedError(absl::StrCat(
                                "blob ", request.digest().hash(), " of movie ",
                                movie_id, " is larger than ", limit, " bytes")),
                            "LIMIT_EXCEEDED");
        }
        absl::StrAppend(&bytes, piece);
        return absl::OkStatus();
      }));
  return bytes;
}

}  // namespace kinora

// Moves values across the inline limit.

#ifndef KINORA_CLIENTS_CPP_CONTENT_UPLOAD_H_
#define KINORA_CLIENTS_CPP_CONTENT_UPLOAD_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/types.pb.h"
#include "services/store/blob/blob_store.h"

namespace kinora {

// Writes `bytes` as one blob of the movie.
absl::StatusOr<v1::WriteBlobResponse> UploadBytes(BlobStore& blobs,
                                                  absl::string_view movie_id,
                                                  absl::string_view bytes);

// If `content` is an inline value of more than `inline_limit` bytes, uploads
// them and makes it a BlobRef of the same media type; else leaves it as it is.
// Call it on the content of every event that is about to be appended. Errors
// are those of the upload.
absl::Status UploadIfLarge(BlobStore& blobs, absl::string_view movie_id,
                           int64_t inline_limit, v1::Content* content);

// The bytes of `content`, wherever they are; RESOURCE_EXHAUSTED if a blob is
// larger than `limit`. Other errors are those of BlobStore::Read().
absl::StatusOr<std::string> ReadContent(BlobStore& blobs,
                                        absl::string_view movie_id,
                                        const v1::Content& content,
                                        int64_t limit);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_CONTENT_UPLOAD_H_

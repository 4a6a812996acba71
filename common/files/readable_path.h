// Paths of readable copies: where a text output lies below `prompts/`, such as
// `segment/segment-0001/image.txt`.

#ifndef KINORA_COMMON_FILES_READABLE_PATH_H_
#define KINORA_COMMON_FILES_READABLE_PATH_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace kinora {

inline constexpr size_t kMaxReadablePathBytes = 512;

// OK for a relative path of at most kMaxReadablePathBytes bytes whose parts,
// between single slashes, are names of [A-Za-z0-9._-] and %XX that begin with
// no dot: other characters of an id are percent-encoded, as FileNameOfId()
// does. Else INVALID_ARGUMENT for `field`.
absl::Status ValidateReadablePath(absl::string_view field,
                                  absl::string_view path);

// True for the media types that have readable copies: `text/...` and
// `application/json`.
bool IsReadableType(absl::string_view mime_type);

}  // namespace kinora

#endif  // KINORA_COMMON_FILES_READABLE_PATH_H_

// `file:` URLs (RFC 8089): how the path of a file is told to another program on
// the same machine.

#ifndef KINORA_COMMON_FILES_FILE_URL_H_
#define KINORA_COMMON_FILES_FILE_URL_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace kinora {

// `file:///a/b%20c` for "/a/b c". Any bytes may be in the path; empty if it is
// not absolute.
std::string FileUrl(absl::string_view path);

// The absolute path that a URL of the form above names. INVALID_ARGUMENT naming
// the field `field` and the URL if it is another one, such as one of another
// host or with a query.
absl::StatusOr<std::string> PathOfFileUrl(absl::string_view field,
                                          absl::string_view url);

}  // namespace kinora

#endif  // KINORA_COMMON_FILES_FILE_URL_H_

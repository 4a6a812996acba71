// A value, wherever its bytes are: in the message or in a blob.

#ifndef KINORA_COMMON_CONTENT_H_
#define KINORA_COMMON_CONTENT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

#include "kinora/v1/types.pb.h"

namespace kinora {

// What a store takes inline unless it was told another limit; one with a lower
// limit says so in its error.
inline constexpr int64_t kDefaultInlineLimitBytes = 4096;

// An inline content with its hash filled in, whatever its size.
v1::Content InlineContent(absl::string_view mime_type, absl::string_view data);

// SHA-256 of the content's bytes as 64 hex digits; empty if the content holds
// no value, or an inline one whose hash was left out.
const std::string& ContentHash(const v1::Content& content);

// The number of its bytes; 0 if it holds no value.
int64_t ContentSize(const v1::Content& content);

// Empty if the content holds no value.
const std::string& ContentMimeType(const v1::Content& content);

}  // namespace kinora

#endif  // KINORA_COMMON_CONTENT_H_

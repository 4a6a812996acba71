#include "common/content.h"

#include "common/digest.h"

namespace kinora {

v1::Content InlineContent(absl::string_view mime_type, absl::string_view data) {
  v1::Content content;
  v1::InlineValue& value = *content.mutable_inline_();
  value.set_hash(Sha256Of(data).Hex());
  value.set_mime_type(std::string(mime_type));
  value.set_data(std::string(data));
  return content;
}

const std::string& ContentHash(const v1::Content& content) {
  return content.has_blob() ? content.blob().digest().hash()
                            : content.inline_().hash();
}

int64_t ContentSize(const v1::Content& content) {
  return content.has_blob()
             ? content.blob().digest().size_bytes()
             : static_cast<int64_t>(content.inline_().data().size());
}

const std::string& ContentMimeType(const v1::Content& content) {
  return content.has_blob() ? content.blob().mime_type()
                            : content.inline_().mime_type();
}

}  // namespace kinora

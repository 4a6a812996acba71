#include "services/store/blob/object_blob_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/string_view.h"

#include "common/status.h"
#include "services/store/checks.h"

namespace kinora {

absl::StatusOr<size_t> ObjectBlobReader::Read(absl::Span<char> out) {
  const size_t want = static_cast<size_t>(
      std::min(end_ - at_, static_cast<int64_t>(out.size())));
  if (want > 0) {
    KINORA_ASSIGN_OR_RETURN(const size_t got,
                            object_->ReadAt(at_, out.subspan(0, want)));
    if (got < want) return DataCorrupt(key_, "ends early");
    if (!hash_.empty()) hasher_.Update(absl::string_view(out.data(), want));
    at_ += static_cast<int64_t>(want);
    if (read_bytes_ != nullptr) {
      read_bytes_->Add(static_cast<int64_t>(want));
    }
  }
  // Told in place of the last bytes and not after them: whoever has asked for a
  // check must not take them for good.
  if (at_ == end_ && !hash_.empty()) {
    const std::string hash = std::exchange(hash_, "");
    if (hasher_.Finish().Hex() != hash) {
      return DataCorrupt(key_, "its bytes do not have its hash");
    }
  }
  return want;
}

}  // namespace kinora

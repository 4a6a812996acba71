#include "services/store/backup/member_sums.h"

#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/store/backup/copy_layout.h"

namespace kinora {
namespace {

std::string LineOf(absl::string_view path, const Digest& digest) {
  return absl::StrCat(digest.Hex(), "  ", path, "\n");
}

}  // namespace

int64_t MemberSums::size_bytes() const {
  const auto line_bytes = [](absl::string_view path) {
    return static_cast<int64_t>(LineOf(path, Digest()).size());
  };
  int64_t size = 0;
  for (const auto& member : members_) size += line_bytes(member.first);
  return size +
         static_cast<int64_t>(blobs_.size()) * line_bytes(BlobMember(Digest()));
}

absl::Status MemberSums::Write(
    absl::FunctionRef<absl::Status(absl::string_view line)> take) const {
  for (const auto& member : members_) {
    KINORA_RETURN_IF_ERROR(take(LineOf(member.first, member.second)));
  }
  for (const Digest& blob : blobs_) {
    KINORA_RETURN_IF_ERROR(take(LineOf(BlobMember(blob), blob)));
  }
  return absl::OkStatus();
}

}  // namespace kinora

#include "services/store/backup/needed_blobs.h"

#include <algorithm>

#include "services/store/checks.h"

namespace kinora {

absl::Status NeededBlobs::AddThoseOf(const v1::Event& event) {
  return VisitBlobsOf(
      event, [this](const BlobReference& reference) { return Add(reference); });
}

absl::Status NeededBlobs::AddThoseOf(const v1::Manifest& manifest) {
  return VisitBlobsOf(manifest, [this](const BlobReference& reference) {
    return Add(reference);
  });
}

absl::Status NeededBlobs::AddThoseOf(absl::string_view path,
                                     const v1::Plan& plan) {
  return VisitBlobsOf(path, plan, [this](const BlobReference& reference) {
    return Add(reference);
  });
}

absl::Status NeededBlobs::Add(const BlobReference& reference) {
  const absl::StatusOr<Digest> digest =
      Digest::ParseHex(reference.blob.digest().hash());
  if (!digest.ok()) {
    return DataCorrupt(reference.Reason(), "names a blob without a hash");
  }
  if (*digest != kEmptyDigest) digests_.insert(*digest);
  return absl::OkStatus();
}

std::vector<Digest> NeededBlobs::Take() {
  std::vector<Digest> taken(digests_.begin(), digests_.end());
  absl::flat_hash_set<Digest>().swap(digests_);
  std::sort(taken.begin(), taken.end());
  return taken;
}

}  // namespace kinora

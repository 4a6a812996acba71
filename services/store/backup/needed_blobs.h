// NeededBlobs are the blobs that the documents of a copy name: exactly those
// that belong in it.

#ifndef KINORA_SERVICES_STORE_BACKUP_NEEDED_BLOBS_H_
#define KINORA_SERVICES_STORE_BACKUP_NEEDED_BLOBS_H_

#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/digest.h"
#include "kinora/v1/event.pb.h"
#include "kinora/v1/manifest.pb.h"
#include "kinora/v1/plan.pb.h"
#include "services/store/gc/reachable_blobs.h"

namespace kinora {

// Not thread-safe. Costs about 64 bytes a blob.
class NeededBlobs {
 public:
  // DATA_LOSS (DATA_CORRUPT) if the document names a blob without a hash.
  absl::Status AddThoseOf(const v1::Event& event);
  absl::Status AddThoseOf(const v1::Manifest& manifest);
  absl::Status AddThoseOf(absl::string_view path, const v1::Plan& plan);

  // All of them, ascending; nothing is left here. The empty blob, which is
  // everywhere, is not among them.
  std::vector<Digest> Take();

 private:
  absl::Status Add(const BlobReference& reference);

  absl::flat_hash_set<Digest> digests_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BACKUP_NEEDED_BLOBS_H_

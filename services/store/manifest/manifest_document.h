// A manifest as a message, for those who need all of it at hand.

#ifndef KINORA_SERVICES_STORE_MANIFEST_MANIFEST_DOCUMENT_H_
#define KINORA_SERVICES_STORE_MANIFEST_MANIFEST_DOCUMENT_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/manifest.pb.h"
#include "services/store/manifest/manifest_store.h"

namespace kinora {

struct ManifestDocument {
  v1::ManifestPointer pointer;
  v1::Manifest manifest;
};

// The manifest of a revision such as "rev-0001", of the current one if
// `revision` is empty. Errors are those of ManifestStore::Get();
// INVALID_ARGUMENT names revision and movie if the stored bytes are not a
// manifest that this version knows.
absl::StatusOr<ManifestDocument> ReadManifest(ManifestStore& manifests,
                                              absl::string_view movie_id,
                                              absl::string_view revision);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_MANIFEST_MANIFEST_DOCUMENT_H_

// A ManifestStore keeps the manifests of movies and their current pointers.
// LogManifestStore builds them from the logs; RemoteManifestStore (clients/cpp)
// reaches one over RPC. Errors and guarantees are those of ManifestService in
// proto/kinora/v1/manifest.proto.

#ifndef KINORA_SERVICES_STORE_MANIFEST_MANIFEST_STORE_H_
#define KINORA_SERVICES_STORE_MANIFEST_MANIFEST_STORE_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/manifest.pb.h"

namespace kinora {

// A manifest as stored.
struct StoredManifest {
  v1::ManifestPointer pointer;
  std::string json;  // exactly the bytes that pointer.hash() covers
};

// Thread-safe. Calls may block.
class ManifestStore {
 public:
  virtual ~ManifestStore() = default;

  virtual absl::StatusOr<v1::GetCurrentManifestResponse> GetCurrent(
      const v1::GetCurrentManifestRequest& request) = 0;
  virtual absl::StatusOr<StoredManifest> Get(
      const v1::GetManifestRequest& request) = 0;

  // As Get(), but hands the bytes to `sink` in pieces as they come, so that
  // nobody holds all of them. They are those of the pointer only if this
  // returns OK. An error of the sink ends it and is returned.
  virtual absl::StatusOr<v1::ManifestPointer> Read(
      const v1::GetManifestRequest& request,
      absl::FunctionRef<absl::Status(absl::string_view)> sink) = 0;
  virtual absl::StatusOr<v1::ListManifestsResponse> List(
      const v1::ListManifestsRequest& request) = 0;

  // The manifest that `request` describes; nothing is published under its
  // pointer.
  virtual absl::StatusOr<StoredManifest> Build(
      const v1::BuildManifestRequest& request) = 0;

  // Publishes the canonical JSON of a manifest.
  virtual absl::StatusOr<v1::PublishManifestResponse> Publish(
      const v1::PublishManifestHeader& header, absl::string_view json) = 0;
  virtual absl::StatusOr<v1::CommitRevisionResponse> Commit(
      const v1::CommitRevisionRequest& request) = 0;

  // Publishes a revision with the values of an earlier one.
  virtual absl::StatusOr<v1::RevertRevisionResponse> Revert(
      const v1::RevertRevisionRequest& request) = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_MANIFEST_MANIFEST_STORE_H_

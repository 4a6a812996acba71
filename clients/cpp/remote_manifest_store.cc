#include "clients/cpp/remote_manifest_store.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "clients/cpp/client_stream.h"
#include "common/digest.h"
#include "common/status.h"

namespace kinora {

absl::StatusOr<v1::GetCurrentManifestResponse> RemoteManifestStore::GetCurrent(
    const v1::GetCurrentManifestRequest& request) {
  return CallUnary(*stub_, &Stub::GetCurrentManifest, request, timeout_);
}

absl::StatusOr<StoredManifest> RemoteManifestStore::Get(
    const v1::GetManifestRequest& request) {
  StoredManifest manifest;
  auto consume = [&](v1::GetManifestResponse& response) {
    if (response.has_pointer()) {
      manifest.pointer = std::move(*response.mutable_pointer());
    }
    manifest.json += response.data();
    return absl::OkStatus();
  };
  KINORA_RETURN_IF_ERROR(
      (ReadStreamToEnd<Stub, v1::GetManifestRequest, v1::GetManifestResponse>(
          *stub_, &Stub::GetManifest, request, stream_timeout_, consume)));
  const std::string hash = Sha256Of(manifest.json).Hex();
  if (hash != manifest.pointer.hash()) {
    return absl::DataLossError(
        absl::StrCat("manifest ", manifest.pointer.revision(), " of movie ",
                     request.movie_id(), " arrived with hash ", hash, ", not ",
                     manifest.pointer.hash()));
  }
  return manifest;
}

absl::StatusOr<v1::ListManifestsResponse> RemoteManifestStore::List(
    const v1::ListManifestsRequest& request) {
  return CallUnary(*stub_, &Stub::ListManifests, request, timeout_);
}

absl::StatusOr<v1::CommitRevisionResponse> RemoteManifestStore::Commit(
    const v1::CommitRevisionRequest& request) {
  return CallUnary(*stub_, &Stub::CommitRevision, request, stream_timeout_);
}

}  // namespace kinora

#include "clients/cpp/remote_manifest_store.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "clients/cpp/client_stream.h"
#include "common/digest.h"
#include "common/status.h"

namespace kinora {
namespace {

// GetManifest and BuildManifest answer alike: a pointer, then bytes.
template <typename Stub, typename Request, typename Response>
absl::StatusOr<v1::ManifestPointer> ReadInto(
    Stub& stub,
    std::unique_ptr<grpc::ClientReader<Response>> (Stub::*method)(
        grpc::ClientContext*, const Request&),
    const Request& request, absl::Duration timeout,
    absl::FunctionRef<absl::Status(absl::string_view)> sink) {
  v1::ManifestPointer pointer;
  Sha256 hash;
  auto consume = [&](Response& response) {
    if (response.has_pointer()) {
      pointer = std::move(*response.mutable_pointer());
    }
    hash.Update(response.data());
    return sink(response.data());
  };
  KINORA_RETURN_IF_ERROR((ReadStreamToEnd<Stub, Request, Response>(
      stub, method, request, timeout, consume)));
  const std::string arrived = hash.Finish().Hex();
  if (arrived == pointer.hash()) return pointer;
  return absl::DataLossError(absl::StrCat(
      "manifest ", pointer.revision(), " of movie ", request.movie_id(),
      " arrived with hash ", arrived, ", not ", pointer.hash()));
}

template <typename Stub, typename Request, typename Response>
absl::StatusOr<StoredManifest> ReadWhole(
    Stub& stub,
    std::unique_ptr<grpc::ClientReader<Response>> (Stub::*method)(
        grpc::ClientContext*, const Request&),
    const Request& request, absl::Duration timeout) {
  StoredManifest manifest;
  KINORA_ASSIGN_OR_RETURN(manifest.pointer,
                          ReadInto(stub, method, request, timeout,
                                   [&manifest](absl::string_view bytes) {
                                     absl::StrAppend(&manifest.json, bytes);
                                     return absl::OkStatus();
                                   }));
  return manifest;
}

}  // namespace

absl::StatusOr<v1::GetCurrentManifestResponse> RemoteManifestStore::GetCurrent(
    const v1::GetCurrentManifestRequest& request) {
  return CallUnary(*stub_, &Stub::GetCurrentManifest, request, timeout_);
}

absl::StatusOr<StoredManifest> RemoteManifestStore::Get(
    const v1::GetManifestRequest& request) {
  return ReadWhole(*stub_, &Stub::GetManifest, request, stream_timeout_);
}

absl::StatusOr<v1::ManifestPointer> RemoteManifestStore::Read(
    const v1::GetManifestRequest& request,
    absl::FunctionRef<absl::Status(absl::string_view)> sink) {
  return ReadInto(*stub_, &Stub::GetManifest, request, stream_timeout_, sink);
}

absl::StatusOr<StoredManifest> RemoteManifestStore::Build(
    const v1::BuildManifestRequest& request) {
  return ReadWhole(*stub_, &Stub::BuildManifest, request, stream_timeout_);
}

absl::StatusOr<v1::PublishManifestResponse> RemoteManifestStore::Publish(
    const v1::PublishManifestHeader& header, absl::string_view json) {
  v1::PublishManifestRequest request;
  *request.mutable_header() = header;
  UploadStream<v1::PublishManifestRequest, v1::PublishManifestResponse> stream(
      *stub_, &Stub::PublishManifest, request, stream_timeout_);
  KINORA_RETURN_IF_ERROR(stream.Append(json));
  return stream.Finish();
}

absl::StatusOr<v1::ListManifestsResponse> RemoteManifestStore::List(
    const v1::ListManifestsRequest& request) {
  return CallUnary(*stub_, &Stub::ListManifests, request, timeout_);
}

absl::StatusOr<v1::CommitRevisionResponse> RemoteManifestStore::Commit(
    const v1::CommitRevisionRequest& request) {
  return CallUnary(*stub_, &Stub::CommitRevision, request, stream_timeout_);
}

absl::StatusOr<v1::RevertRevisionResponse> RemoteManifestStore::Revert(
    const v1::RevertRevisionRequest& request) {
  return CallUnary(*stub_, &Stub::RevertRevision, request, stream_timeout_);
}

}  // namespace kinora

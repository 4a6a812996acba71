// A RemoteManifestStore is a ManifestStore over a channel. See
// clients/cpp/remote_store.h.

#ifndef KINORA_CLIENTS_CPP_REMOTE_MANIFEST_STORE_H_
#define KINORA_CLIENTS_CPP_REMOTE_MANIFEST_STORE_H_

#include <memory>

#include "absl/time/time.h"
#include "grpcpp/channel.h"

#include "kinora/v1/manifest.grpc.pb.h"
#include "services/store/manifest/manifest_store.h"

namespace kinora {

class RemoteManifestStore final : public ManifestStore {
 public:
  RemoteManifestStore(const std::shared_ptr<grpc::Channel>& channel,
                      absl::Duration timeout, absl::Duration stream_timeout)
      : stub_(v1::ManifestService::NewStub(channel)),
        timeout_(timeout),
        stream_timeout_(stream_timeout) {}

  absl::StatusOr<v1::GetCurrentManifestResponse> GetCurrent(
      const v1::GetCurrentManifestRequest& request) override;

  // DATA_LOSS if the bytes that arrive do not have the pointer's hash.
  absl::StatusOr<StoredManifest> Get(
      const v1::GetManifestRequest& request) override;
  absl::StatusOr<v1::ManifestPointer> Read(
      const v1::GetManifestRequest& request,
      absl::FunctionRef<absl::Status(absl::string_view)> sink) override;
  absl::StatusOr<v1::ListManifestsResponse> List(
      const v1::ListManifestsRequest& request) override;

  // DATA_LOSS as of Get().
  absl::StatusOr<StoredManifest> Build(
      const v1::BuildManifestRequest& request) override;
  absl::StatusOr<v1::PublishManifestResponse> Publish(
      const v1::PublishManifestHeader& header, absl::string_view json) override;

  // May take as long as a stream: it builds a manifest.
  absl::StatusOr<v1::CommitRevisionResponse> Commit(
      const v1::CommitRevisionRequest& request) override;
  absl::StatusOr<v1::RevertRevisionResponse> Revert(
      const v1::RevertRevisionRequest& request) override;

 private:
  using Stub = v1::ManifestService::Stub;

  const std::unique_ptr<Stub> stub_;
  const absl::Duration timeout_;
  const absl::Duration stream_timeout_;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_REMOTE_MANIFEST_STORE_H_

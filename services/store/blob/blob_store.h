// A BlobStore keeps content-addressed bytes per movie. ObjectBlobStore keeps
// them in an ObjectStorage; RemoteBlobStore (clients/cpp) reaches one over
// RPC. Limits, errors and guarantees are those of BlobService in
// proto/kinora/v1/blob.proto.

#ifndef KINORA_SERVICES_STORE_BLOB_BLOB_STORE_H_
#define KINORA_SERVICES_STORE_BLOB_BLOB_STORE_H_

#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "kinora/v1/blob.pb.h"

namespace kinora {

// A BlobUpload takes the bytes of one blob. Not thread-safe; each call may
// block. Destroying it without Finish() leaves nothing behind.
class BlobUpload {
 public:
  virtual ~BlobUpload() = default;

  // RESOURCE_EXHAUSTED once the blob is larger than it may be. After an error
  // every later call, Finish() too, returns that error and stores nothing.
  virtual absl::Status Append(absl::string_view bytes) = 0;

  // As Append() of each part in turn.
  virtual absl::Status AppendParts(absl::Span<const absl::string_view> parts) {
    absl::Status status;
    for (absl::string_view part : parts) {
      if (status.ok()) status = Append(part);
    }
    return status;
  }

  // Returns once the blob is durable. Call it once, last.
  virtual absl::StatusOr<v1::WriteBlobResponse> Finish() = 0;
};

// A BlobReader hands out the bytes of one blob, or a part of it, in order. Not
// thread-safe; calls may block. It goes on also if the blob is collected.
class BlobReader {
 public:
  virtual ~BlobReader() = default;

  // Fills `out` with the next bytes and returns how many: fewer only at the
  // end, then 0. An error, also that of a check asked for, comes in place of
  // the bytes it is about.
  virtual absl::StatusOr<size_t> Read(absl::Span<char> out) = 0;
};

// Thread-safe. Calls may block on disk or network.
class BlobStore {
 public:
  // Takes the next bytes of a blob; an error ends the read with that error.
  using Sink = absl::FunctionRef<absl::Status(absl::string_view bytes)>;

  virtual ~BlobStore() = default;

  // While the result lives, no collection deletes a blob of the movie that was
  // written or found present meanwhile, whatever its grace. Take it before
  // looking for blobs that are about to be named in a log or a manifest, and
  // drop it when they are. Null where only the grace period keeps blobs: over
  // RPC.
  virtual std::shared_ptr<void> HoldBlobs(absl::string_view /*movie_id*/) {
    return nullptr;
  }

  virtual absl::StatusOr<std::unique_ptr<BlobUpload>> StartUpload(
      const v1::WriteBlobHeader& header) = 0;

  // Opens what Read() reads, for a caller that asks for the pieces. A store
  // that is not in this process has only Read(): UNIMPLEMENTED.
  virtual absl::StatusOr<std::unique_ptr<BlobReader>> StartRead(
      const v1::ReadBlobRequest& /*request*/) {
    return absl::UnimplementedError("this store hands out whole blobs only");
  }

  // Hands the bytes to `sink` in order, in pieces of at most 1 MiB.
  virtual absl::Status Read(const v1::ReadBlobRequest& request, Sink sink) = 0;

  virtual absl::StatusOr<v1::BatchWriteBlobsResponse> BatchWrite(
      const v1::BatchWriteBlobsRequest& request) = 0;
  virtual absl::StatusOr<v1::BatchReadBlobsResponse> BatchRead(
      const v1::BatchReadBlobsRequest& request) = 0;
  virtual absl::StatusOr<v1::FindMissingBlobsResponse> FindMissing(
      const v1::FindMissingBlobsRequest& request) = 0;
  virtual absl::StatusOr<v1::StatBlobResponse> Stat(
      const v1::StatBlobRequest& request) = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BLOB_BLOB_STORE_H_

// What tests of an ObjectBlobStore share: a film and short ways to write to it.

#ifndef KINORA_SERVICES_STORE_BLOB_OBJECT_BLOB_STORE_FIXTURE_H_
#define KINORA_SERVICES_STORE_BLOB_OBJECT_BLOB_STORE_FIXTURE_H_

#include <string>

#include "services/store/blob/object_blob_store.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {

class ObjectBlobStoreTest : public CoreFixture {
 protected:
  void SetUp() override { MakeFilm(store()); }

  absl::StatusOr<v1::WriteBlobResponse> Upload(
      const v1::WriteBlobHeader& header, absl::string_view bytes) {
    absl::StatusOr<std::unique_ptr<BlobUpload>> upload =
        core().blobs.StartUpload(header);
    if (!upload.ok()) return upload.status();
    // In two pieces, as a stream would.
    const size_t half = bytes.size() / 2;
    absl::Status first = (*upload)->Append(bytes.substr(0, half));
    if (!first.ok()) return first;
    absl::Status second = (*upload)->Append(bytes.substr(half));
    if (!second.ok()) return second;
    return (*upload)->Finish();
  }

  absl::StatusOr<std::string> Read(const v1::ReadBlobRequest& request) {
    std::string bytes;
    absl::Status status =
        core().blobs.Read(request, [&](absl::string_view piece) {
          bytes.append(piece.data(), piece.size());
          return absl::OkStatus();
        });
    if (!status.ok()) return status;
    return bytes;
  }

  static v1::WriteBlobHeader Header() {
    v1::WriteBlobHeader header;
    header.set_movie_id("film");
    return header;
  }
  static v1::ReadBlobRequest ReadOf(absl::string_view hash) {
    v1::ReadBlobRequest request;
    request.set_movie_id("film");
    request.mutable_digest()->set_hash(std::string(hash));
    return request;
  }
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BLOB_OBJECT_BLOB_STORE_FIXTURE_H_

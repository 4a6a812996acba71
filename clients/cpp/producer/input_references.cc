#include "clients/cpp/producer/input_references.h"

#include "absl/status/statusor.h"

namespace kinora {

void ReferToInputs(BlobStore& blobs, v1::JobHeader* header) {
  v1::StatBlobRequest request;
  request.set_movie_id(header->movie_id());
  request.set_with_url(true);
  for (v1::InputBinding& binding : *header->mutable_inputs()) {
    for (v1::InputElement& element : *binding.mutable_elements()) {
      if (!element.streamed()) continue;
      *request.mutable_digest() = element.content().digest();
      const absl::StatusOr<v1::StatBlobResponse> blob = blobs.Stat(request);
      if (!blob.ok() || blob->url().empty()) continue;
      element.set_reference(blob->url());
    }
  }
}

}  // namespace kinora

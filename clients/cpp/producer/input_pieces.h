// InputPieces are the inputs of a job that are streamed to its producer: the
// bytes of their blobs, message by message.

#ifndef KINORA_CLIENTS_CPP_PRODUCER_INPUT_PIECES_H_
#define KINORA_CLIENTS_CPP_PRODUCER_INPUT_PIECES_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/digest.h"
#include "kinora/v1/producer.pb.h"
#include "services/store/blob/blob_store.h"

namespace kinora {

// Not thread-safe.
class InputPieces {
 public:
  // `blobs` of the movie are read; it MUST outlive this.
  InputPieces(BlobStore& blobs, absl::string_view movie_id)
      : blobs_(blobs), movie_id_(movie_id) {}

  // Adds the inputs that `header` says are streamed, in its order.
  void AddThoseOf(const v1::JobHeader& header);

  bool empty() const { return inputs_.empty(); }

  // Makes `request` the next piece; may block. An error names the input and the
  // blob: those of the store, and DATA_LOSS if the bytes are not those that the
  // header names. Nothing can be read after one. REQUIRES: not empty().
  absl::Status Next(v1::ProduceRequest* request);

 private:
  struct Input {
    std::string binding;
    uint32_t element = 0;
    v1::Digest digest;
  };

  absl::Status Read(v1::InputChunk* chunk);

  BlobStore& blobs_;
  const std::string movie_id_;
  std::deque<Input> inputs_;
  int64_t offset_ = 0;            // in the first one
  std::optional<Sha256> hasher_;  // of its bytes before the offset
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_PRODUCER_INPUT_PIECES_H_

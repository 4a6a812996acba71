#include "clients/cpp/producer/input_pieces.h"

#include "absl/strings/str_cat.h"

#include "common/rpc/stream_task.h"
#include "common/status.h"

namespace kinora {

void InputPieces::AddThoseOf(const v1::JobHeader& header) {
  for (const v1::InputBinding& binding : header.inputs()) {
    for (int i = 0; i < binding.elements_size(); ++i) {
      const v1::InputElement& element = binding.elements(i);
      if (!element.streamed()) continue;
      inputs_.push_back({binding.name(), static_cast<uint32_t>(i),
                         element.content().digest()});
    }
  }
}

absl::Status InputPieces::Next(v1::ProduceRequest* request) {
  const Input& input = inputs_.front();
  request->Clear();
  v1::InputChunk* chunk = request->mutable_input_chunk();
  const absl::Status read = Read(chunk);
  if (!read.ok()) {
    return Annotate(read, absl::StrCat("input ", input.binding, ": blob ",
                                       input.digest.hash()));
  }
  if (!chunk->last()) return absl::OkStatus();
  inputs_.pop_front();
  offset_ = 0;
  return absl::OkStatus();
}

absl::Status InputPieces::Read(v1::InputChunk* chunk) {
  const Input& input = inputs_.front();
  chunk->set_binding(input.binding);
  chunk->set_element(input.element);
  chunk->set_offset(offset_);
  const int64_t size = input.digest.size_bytes();
  if (offset_ < size) {
    v1::ReadBlobRequest read;
    read.set_movie_id(movie_id_);
    *read.mutable_digest() = input.digest;
    read.set_offset(offset_);
    read.set_limit(static_cast<int64_t>(kStreamChunkBytes));
    KINORA_RETURN_IF_ERROR(blobs_.Read(read, [chunk](absl::string_view bytes) {
      chunk->mutable_data()->append(bytes.data(), bytes.size());
      return absl::OkStatus();
    }));
    if (chunk->data().empty()) return absl::DataLossError("blob is short");
  }
  if (!hasher_.has_value()) hasher_.emplace();
  hasher_->Update(chunk->data());
  offset_ += static_cast<int64_t>(chunk->data().size());
  if (offset_ < size) return absl::OkStatus();
  // Not every producer looks, and what it made of other bytes would count as
  // made of these.
  if (hasher_->Finish().Hex() != input.digest.hash()) {
    return absl::DataLossError("its bytes do not have its hash");
  }
  chunk->set_last(true);
  return absl::OkStatus();
}

}  // namespace kinora

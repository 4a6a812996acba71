#include "common/rpc/data_message.h"

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpcpp/impl/codegen/proto_utils.h"

namespace kinora {
namespace {

// Field 10, length-delimited.
constexpr char kDataTag = (10 << 3) | 2;

// A varint of 64 bits has at most so many bytes.
constexpr int kMaxVarintBytes = 10;

// More would only be kept for a burst of downloads.
constexpr size_t kMaxFreeBuffers = 16;

absl::string_view ViewOf(const grpc::Slice& slice) {
  return absl::string_view(reinterpret_cast<const char*>(slice.begin()),
                           slice.size());
}

// What a slice of DataBuffers holds on to.
struct Loan {
  std::shared_ptr<DataBuffers> buffers;
  char* buffer;
};

void EndLoan(void* loan) {
  const std::unique_ptr<Loan> ended(static_cast<Loan*>(loan));
  ended->buffers->Return(ended->buffer);
}

}  // namespace

bool DataParts::Read(const grpc::ByteBuffer& message) {
  parts_.clear();
  if (!message.Dump(&slices_).ok()) return false;
  // The tag and the length, wherever the first slices end.
  size_t at = 0;
  absl::string_view rest;
  const auto next = [&](uint8_t* byte) {
    while (rest.empty()) {
      if (at == slices_.size()) return false;
      rest = ViewOf(slices_[at++]);
    }
    *byte = static_cast<uint8_t>(rest.front());
    rest.remove_prefix(1);
    return true;
  };
  uint8_t byte = 0;
  if (!next(&byte) || byte != kDataTag) return false;
  uint64_t length = 0;
  for (int i = 0;; ++i) {
    if (i == kMaxVarintBytes || !next(&byte)) return false;
    length |= uint64_t{byte & 0x7Fu} << (7 * i);
    if ((byte & 0x80) == 0) break;
  }
  if (!rest.empty()) parts_.push_back(rest);
  uint64_t bytes = rest.size();
  for (; at < slices_.size(); ++at) {
    parts_.push_back(ViewOf(slices_[at]));
    bytes += slices_[at].size();
  }
  return bytes == length;
}

DataBuffers::~DataBuffers() {
  for (char* buffer : free_) delete[] buffer;
}

char* DataBuffers::Take() {
  {
    MutexLock lock(mu_);
    if (!free_.empty()) {
      char* const buffer = free_.back();
      free_.pop_back();
      return buffer;
    }
  }
  return new char[bytes_];
}

void DataBuffers::Return(char* buffer) {
  {
    MutexLock lock(mu_);
    if (free_.size() < kMaxFreeBuffers) {
      free_.push_back(buffer);
      return;
    }
  }
  delete[] buffer;
}

grpc::Slice DataBuffers::Wrap(char* buffer, size_t size) {
  return grpc::Slice(buffer, size, &EndLoan,
                     new Loan{shared_from_this(), buffer});
}

grpc::ByteBuffer DataMessage(grpc::Slice data) {
  std::string head(1, kDataTag);
  uint64_t length = data.size();
  for (; length >= 0x80; length >>= 7) {
    head.push_back(static_cast<char>((length & 0x7F) | 0x80));
  }
  head.push_back(static_cast<char>(length));
  const std::array<grpc::Slice, 2> slices = {grpc::Slice(head),
                                             std::move(data)};
  return grpc::ByteBuffer(slices.data(), slices.size());
}

grpc::ByteBuffer SharedMessage(std::shared_ptr<const std::string> bytes) {
  using Held = std::shared_ptr<const std::string>;
  // gRPC only reads what it sends.
  void* const data = const_cast<char*>(bytes->data());
  const size_t size = bytes->size();
  const grpc::Slice slice(
      data, size, [](void* held) { delete static_cast<Held*>(held); },
      new Held(std::move(bytes)));
  return grpc::ByteBuffer(&slice, 1);
}

absl::Status ParseMessage(const grpc::ByteBuffer& bytes,
                          google::protobuf::Message* message) {
  grpc::ByteBuffer copy = bytes;  // of the references
  const grpc::Status status =
      grpc::GenericDeserialize<grpc::ProtoBufferReader,
                               google::protobuf::Message>(&copy, message);
  if (status.ok()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("not a ", message->GetTypeName(),
                                          ": ", status.error_message()));
}

absl::StatusOr<grpc::ByteBuffer> SerializeMessage(
    const google::protobuf::Message& message) {
  grpc::ByteBuffer bytes;
  bool own = false;
  const grpc::Status status =
      grpc::GenericSerialize<grpc::ProtoBufferWriter,
                             google::protobuf::Message>(message, &bytes, &own);
  if (!status.ok()) return absl::InternalError(status.error_message());
  return bytes;
}

}  // namespace kinora

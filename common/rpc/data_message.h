// A data message is one that holds nothing but bytes in field 10, where all our
// messages have theirs. It is read and made by hand: protobuf would copy every
// byte once more on its way. On the wire it is exactly what protobuf makes of
// it, so each end may use either.

#ifndef KINORA_COMMON_RPC_DATA_MESSAGE_H_
#define KINORA_COMMON_RPC_DATA_MESSAGE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "google/protobuf/message.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"

#include "common/threads/mutex.h"

namespace kinora {

// The bytes of a data message. They live until the next Read() or as long as
// this.
class DataParts {
 public:
  // False if it is no data message: parse it as protobuf.
  bool Read(const grpc::ByteBuffer& message);

  absl::Span<const absl::string_view> parts() const { return parts_; }

 private:
  std::vector<grpc::Slice> slices_;
  std::vector<absl::string_view> parts_;
};

// Room for the bytes of messages, used again and again. Memory that was never
// used before costs a page fault for each 4 KiB. Thread-safe.
class DataBuffers : public std::enable_shared_from_this<DataBuffers> {
 public:
  explicit DataBuffers(size_t bytes) : bytes_(bytes) {}
  ~DataBuffers();

  size_t bytes() const { return bytes_; }

  char* Take() ABSL_LOCKS_EXCLUDED(mu_);
  void Return(char* buffer) ABSL_LOCKS_EXCLUDED(mu_);

  // The first `size` bytes of a buffer that was taken, which returns by itself
  // when the slice has been sent.
  grpc::Slice Wrap(char* buffer, size_t size);

 private:
  const size_t bytes_;
  Mutex mu_;
  std::vector<char*> free_ ABSL_GUARDED_BY(mu_);
};

grpc::ByteBuffer DataMessage(grpc::Slice data);

// A message that was serialized before, for one of several calls: it refers to
// the bytes and holds on to them until it has been sent.
grpc::ByteBuffer SharedMessage(std::shared_ptr<const std::string> bytes);

// INTERNAL if the bytes are not such a message, as gRPC itself answers.
absl::Status ParseMessage(const grpc::ByteBuffer& bytes,
                          google::protobuf::Message* message);
absl::StatusOr<grpc::ByteBuffer> SerializeMessage(
    const google::protobuf::Message& message);

}  // namespace kinora

#endif  // KINORA_COMMON_RPC_DATA_MESSAGE_H_

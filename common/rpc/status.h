// The one place where absl::Status and grpc::Status become each other.
//
// The codes of both have the same numbers. The payloads of
// common/error_reason.h and common/status.h travel as one ErrorDetail within a
// StatusDetails in error_details(), the form the helpers of every language
// know. Message and details together are cut to kMaxStatusBytes.

#ifndef KINORA_COMMON_RPC_STATUS_H_
#define KINORA_COMMON_RPC_STATUS_H_

#include <cstddef>

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace kinora {

namespace v1 {
class ErrorDetail;  // kinora/v1/error.pb.h
}

// gRPC refuses trailers beyond 8 KiB over TCP; base64 and percent escapes
// take their part of that.
inline constexpr size_t kMaxStatusBytes = 3 * 1024;

grpc::Status ToGrpcStatus(const absl::Status& status);

absl::Status FromGrpcStatus(const grpc::Status& status);

// The detail of a status that travels within a message, such as an
// AppendOutcome; empty for OK or a status without reason and metadata. Cut as
// that of ToGrpcStatus().
v1::ErrorDetail ErrorDetailOf(const absl::Status& status);

// The inverse: `status` with the reason and metadata of `detail`. OK stays OK.
absl::Status WithErrorDetail(absl::Status status,
                             const v1::ErrorDetail& detail);

}  // namespace kinora

#endif  // KINORA_COMMON_RPC_STATUS_H_

// gRPC's form of a moment in the future.

#ifndef KINORA_COMMON_RPC_DEADLINE_H_
#define KINORA_COMMON_RPC_DEADLINE_H_

#include "absl/time/time.h"
#include "grpc/support/time.h"

namespace kinora {

// `timeout` from now, on the monotonic clock; at least now.
inline gpr_timespec GrpcDeadline(absl::Duration timeout) {
  if (timeout < absl::ZeroDuration()) timeout = absl::ZeroDuration();
  return gpr_time_add(
      gpr_now(GPR_CLOCK_MONOTONIC),
      gpr_time_from_nanos(absl::ToInt64Nanoseconds(timeout), GPR_TIMESPAN));
}

}  // namespace kinora

#endif  // KINORA_COMMON_RPC_DEADLINE_H_

// What happens around every call, on both sides.

#ifndef KINORA_COMMON_RPC_INTERCEPTORS_H_
#define KINORA_COMMON_RPC_INTERCEPTORS_H_

#include <memory>
#include <vector>

#include "grpcpp/support/client_interceptor.h"
#include "grpcpp/support/server_interceptor.h"

#include "common/telemetry/metrics.h"

namespace kinora {

using ClientInterceptors = std::vector<
    std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>>;
using ServerInterceptors = std::vector<
    std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>>;

// Passes the calling thread's trace on as the header `traceparent`.
ClientInterceptors MakeClientInterceptors();

// Counts every call in `metrics` (null for nowhere; rpc_metrics.h), logs it (at
// debug level; at info if it failed), and lets an RPC of this API that the
// build does not have say so: UNIMPLEMENTED (RPC_NOT_IMPLEMENTED), naming the
// RPC.
ServerInterceptors MakeServerInterceptors(MetricsRegistry* metrics);

}  // namespace kinora

#endif  // KINORA_COMMON_RPC_INTERCEPTORS_H_

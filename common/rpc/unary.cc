#include "common/rpc/unary.h"

#include "common/rpc/deadline.h"

namespace kinora {

void SetTimeout(grpc::ClientContext& context, absl::Duration timeout) {
  context.set_deadline(GrpcDeadline(timeout));
}

}  // namespace kinora

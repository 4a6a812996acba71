// One target of a producer of a RemoteProducerCaller, and what it said of
// itself last.

#ifndef KINORA_CLIENTS_CPP_PRODUCER_REMOTE_PRODUCER_TARGET_H_
#define KINORA_CLIENTS_CPP_PRODUCER_REMOTE_PRODUCER_TARGET_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "clients/cpp/producer/remote_producer_caller.h"
#include "common/threads/mutex.h"
#include "kinora/v1/producer.grpc.pb.h"
#include "services/runner/calls/output_schemas.h"

namespace kinora {

struct RemoteProducerCaller::Target {
  std::string name;
  bool reads_files = false;  // ProducerConfig::references
  std::unique_ptr<v1::ProducerService::Stub> stub;
  Mutex mu;
  std::optional<v1::DescribeResponse> description ABSL_GUARDED_BY(mu);
  // What it declares, compiled; or why that cannot be used.
  absl::StatusOr<OutputSchemas> schemas ABSL_GUARDED_BY(mu) = OutputSchemas();
  int64_t description_expires ABSL_GUARDED_BY(mu) = 0;
};

// FAILED_PRECONDITION (PRODUCER_UNKNOWN).
absl::Status UnknownProducer(absl::string_view name);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_PRODUCER_REMOTE_PRODUCER_TARGET_H_

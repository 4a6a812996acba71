// The simulated producer as a gRPC service: the product's own stand-in for
// real producers, for dry runs, load tests and first steps. It serves any
// producer name; what it does is in the node's settings (sim_settings.h).

#ifndef KINORA_CLIENTS_CPP_SIM_SIM_PRODUCER_SERVICE_H_
#define KINORA_CLIENTS_CPP_SIM_SIM_PRODUCER_SERVICE_H_

#include <atomic>
#include <cstdint>

#include "clients/cpp/sim/sim_producer_options.h"
#include "common/threads/executor.h"
#include "kinora/v1/producer.grpc.pb.h"

namespace kinora {

// Thread-safe. One Produce stream costs no thread.
//
// The stream as a state machine:
//   1. header read        -> accepted is written
//   2. input chunks read  -> hashed and compared with the header's digests
//      meanwhile references are read on the executor, and treated as chunks
//   3. half-close read, or with answers_on_stream the last input, or the header
//      where it has all inputs; and all references read
//                         -> after delay_ms: log lines, usage, then either a
//                            question, a failure, or all outputs in chunks; a
//                            question waits for its answer until half-close
//   4. result written     -> Finish(OK)
//
// A caller that takes batches gets what follows at once as one message: without
// a delay and large inputs or outputs that is all of it.
class SimProducerService final : public v1::ProducerService::CallbackService {
 public:
  // `executor` (for delays and files) MUST outlive the service.
  SimProducerService(Executor& executor, SimProducerOptions options);

  grpc::ServerUnaryReactor* Describe(grpc::CallbackServerContext* context,
                                     const v1::DescribeRequest* request,
                                     v1::DescribeResponse* response) override;

  grpc::ServerBidiReactor<v1::ProduceRequest, v1::ProduceResponse>* Produce(
      grpc::CallbackServerContext* context) override;

  grpc::ServerUnaryReactor* LookUpJob(grpc::CallbackServerContext* context,
                                      const v1::LookUpJobRequest* request,
                                      v1::LookUpJobResponse* response) override;

  // Headers read since the start: how often a producer was called. For tests
  // and load reports.
  int64_t calls() const { return calls_.load(); }

 private:
  Executor& executor_;
  const SimProducerOptions options_;
  std::atomic<int64_t> calls_ = 0;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_SIM_SIM_PRODUCER_SERVICE_H_

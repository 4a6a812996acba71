// The simulated producer as a gRPC service: the product's own stand-in for
// real producers, for dry runs, load tests and first steps. It serves any
// producer name; what it does is in the node's settings (sim_settings.h).

#ifndef KINORA_CLIENTS_CPP_SIM_SIM_PRODUCER_SERVICE_H_
#define KINORA_CLIENTS_CPP_SIM_SIM_PRODUCER_SERVICE_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "clients/cpp/sim/sim_record.h"
#include "common/files/file_system.h"
#include "common/threads/executor.h"
#include "kinora/v1/producer.grpc.pb.h"

namespace kinora {

struct SimProducerOptions {
  std::string version = "1";  // what Describe reports
  int64_t price_micros = 0;   // of a job, in USD; 0 for none
  // Answers LookUpJob; null for a producer that keeps no record. MUST outlive
  // the service.
  SimRecord* record = nullptr;
  bool answers_on_stream = false;  // what Describe reports
  // What Describe reports; it makes whatever is asked for in any case.
  std::vector<v1::DeclaredOutput> outputs;
  // Where references to large inputs lead; null for a producer that does not
  // ask for any. MUST outlive the service and what it has posted.
  FileSystem* files = nullptr;
};

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

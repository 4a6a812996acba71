// What a simulated producer is: apart from the service, whose gRPC headers take
// longer to read than all else that a test of a runner includes.

#ifndef KINORA_CLIENTS_CPP_SIM_SIM_PRODUCER_OPTIONS_H_
#define KINORA_CLIENTS_CPP_SIM_SIM_PRODUCER_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "clients/cpp/sim/sim_record.h"
#include "common/files/file_system.h"
#include "kinora/v1/producer.pb.h"

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

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_SIM_SIM_PRODUCER_OPTIONS_H_

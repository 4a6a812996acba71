// Producers as a runner knows them, as they are shown. Pure.

#ifndef KINORA_CLIENTS_CLI_PRODUCER_TEXT_H_
#define KINORA_CLIENTS_CLI_PRODUCER_TEXT_H_

#include <string>

#include "absl/time/time.h"

#include "kinora/v1/runner.pb.h"

namespace kinora {

// What the runner allows itself over all producers, in a line:
//
//   all producers together: 64 calls at once  10 a second, 5 at once
std::string LimitsText(const v1::ListProducersResponse& list);

// A producer with its version, its calls under way of those allowed and its
// rate, below it what is wrong with it, and a line for each target with its
// breaker:
//
//   image  3  2 of 8 calls  2 a second
//       dns:///10.0.0.5:7501  closed  2 calls
//       dns:///10.0.0.6:7501  open for 4.0 s  0 calls, 5 lost
std::string ProducerText(const v1::ListedProducer& producer, absl::Time now);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_PRODUCER_TEXT_H_

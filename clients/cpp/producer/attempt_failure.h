// Failures of attempts, and their texts within the bounds that types.proto
// gives them.

#ifndef KINORA_CLIENTS_CPP_PRODUCER_ATTEMPT_FAILURE_H_
#define KINORA_CLIENTS_CPP_PRODUCER_ATTEMPT_FAILURE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/types.pb.h"

namespace kinora {

// Cuts what is for a person at 3 KiB, between characters: what is no UTF-8 no
// peer would take.
void CutMessage(std::string* message);

// What a producer says of its failure, and of those beneath it, within bounds.
void CutFailure(v1::Failure* failure);

v1::Failure MakeFailure(v1::FailureReason reason, absl::string_view message,
                        bool retryable);

// What a call that broke means, after the contract of ProducerService.
v1::Failure FailureOfCall(const absl::Status& status);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_PRODUCER_ATTEMPT_FAILURE_H_

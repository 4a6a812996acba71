// Which amounts of money may be recorded.

#ifndef KINORA_COMMON_COST_CHECK_H_
#define KINORA_COMMON_COST_CHECK_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/types.pb.h"

namespace kinora {

// INVALID_ARGUMENT naming the field below `field` unless the currency is empty
// or three capital letters, as in ISO 4217, and the amount is not negative.
absl::Status ValidateCost(absl::string_view field, const v1::Cost& cost);

}  // namespace kinora

#endif  // KINORA_COMMON_COST_CHECK_H_

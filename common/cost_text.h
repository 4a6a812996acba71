// Amounts of money as people write and read them.

#ifndef KINORA_COMMON_COST_TEXT_H_
#define KINORA_COMMON_COST_TEXT_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

#include "kinora/v1/types.pb.h"

namespace kinora {

// "USD 12.50", "12.50 USD", or "12.5" in the installation's currency; at most
// six decimals. None if it is something else, negative, or beyond 2^53
// millionths.
std::optional<v1::Cost> ParseCostText(absl::string_view text);

// "1.50 USD", "0.000125 USD"; "1.50" in the installation's currency.
std::string FormatCost(const v1::Cost& cost);

}  // namespace kinora

#endif  // KINORA_COMMON_COST_TEXT_H_

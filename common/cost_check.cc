#include "common/cost_check.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "common/status.h"

namespace kinora {

absl::Status ValidateCost(absl::string_view field, const v1::Cost& cost) {
  const std::string& currency = cost.currency_code();
  const bool capitals =
      std::all_of(currency.begin(), currency.end(), absl::ascii_isupper);
  if (!currency.empty() && (currency.size() != 3 || !capitals)) {
    return InvalidField(absl::StrCat(field, ".currency_code"), currency,
                        "must be three capital letters, such as USD");
  }
  if (cost.micros() < 0) {
    return InvalidField(absl::StrCat(field, ".micros"),
                        absl::StrCat(cost.micros()), "must not be negative");
  }
  return absl::OkStatus();
}

}  // namespace kinora

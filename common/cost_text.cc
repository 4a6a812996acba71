#include "common/cost_text.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "common/cost_check.h"

namespace kinora {
namespace {

constexpr int64_t kMicros = 1'000'000;
constexpr int64_t kMaxMicros = int64_t{1} << 53;
constexpr size_t kDecimals = 6;

bool IsNumber(absl::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

// Digit by digit: a double would not keep each millionth.
std::optional<int64_t> ParseMicros(absl::string_view text) {
  const size_t point = text.find('.');
  const absl::string_view whole = text.substr(0, point);
  std::string decimals;
  if (point != absl::string_view::npos) {
    const absl::string_view rest = text.substr(point + 1);
    if (!IsNumber(rest) || rest.size() > kDecimals) return std::nullopt;
    decimals = std::string(rest);
  }
  decimals.resize(kDecimals, '0');
  int64_t units = 0;
  int64_t micros = 0;
  if (!IsNumber(whole) || !absl::SimpleAtoi(whole, &units) ||
      !absl::SimpleAtoi(decimals, &micros) || units > kMaxMicros / kMicros) {
    return std::nullopt;
  }
  micros += units * kMicros;
  if (micros > kMaxMicros) return std::nullopt;
  return micros;
}

}  // namespace

std::optional<v1::Cost> ParseCostText(absl::string_view text) {
  absl::string_view amount = absl::StripAsciiWhitespace(text);
  absl::string_view currency;
  const size_t space = amount.find(' ');
  if (space != absl::string_view::npos) {
    currency = amount.substr(0, space);
    amount = absl::StripAsciiWhitespace(amount.substr(space));
    if (absl::ascii_isdigit(currency[0])) std::swap(amount, currency);
    if (currency.empty()) return std::nullopt;
  }
  const std::optional<int64_t> micros = ParseMicros(amount);
  if (!micros.has_value()) return std::nullopt;
  v1::Cost cost;
  cost.set_currency_code(std::string(currency));
  cost.set_micros(*micros);
  if (!ValidateCost("", cost).ok()) return std::nullopt;
  return cost;
}

std::string FormatCost(const v1::Cost& cost) {
  std::string text = absl::StrFormat("%d.%06d", cost.micros() / kMicros,
                                     std::abs(cost.micros() % kMicros));
  if (cost.micros() < 0 && text[0] != '-') text.insert(0, "-");
  // Cents are always shown, smaller parts if there are any.
  size_t end = text.find_last_not_of('0') + 1;
  text.resize(std::max(end, text.find('.') + 3));
  if (!cost.currency_code().empty()) {
    absl::StrAppend(&text, " ", cost.currency_code());
  }
  return text;
}

}  // namespace kinora

#include "common/size_text.h"

#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"

namespace kinora {
namespace {

constexpr absl::string_view kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
constexpr double kMaxSize = 9007199254740992.0;  // 2^53

}  // namespace

std::optional<int64_t> ParseSizeText(absl::string_view text) {
  const size_t digits = text.find_first_not_of("0123456789.");
  const absl::string_view unit =
      digits == absl::string_view::npos
          ? absl::string_view("B")
          : absl::StripAsciiWhitespace(text.substr(digits));
  double factor = 1;
  for (const absl::string_view known : kUnits) {
    double number = 0;
    if (unit == known && absl::SimpleAtod(text.substr(0, digits), &number) &&
        std::isfinite(number) && number * factor <= kMaxSize) {
      return static_cast<int64_t>(number * factor);
    }
    factor *= 1024;
  }
  return std::nullopt;
}

}  // namespace kinora

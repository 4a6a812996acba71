#include "clients/cli/amounts.h"

#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "common/cost_text.h"
#include "common/proto_time.h"
#include "common/size_text.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr absl::string_view kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};

}  // namespace

absl::StatusOr<int64_t> ParseSize(absl::string_view flag,
                                  absl::string_view text) {
  const std::optional<int64_t> size = ParseSizeText(text);
  if (size.has_value()) return *size;
  return InvalidField(flag, text, "must be a size such as 1048576 or 1.5GiB");
}

std::string FormatSize(int64_t bytes) {
  if (bytes < 1024) return absl::StrCat(bytes, " B");
  double size = static_cast<double>(bytes);
  size_t unit = 0;
  for (; size >= 1024 && unit + 1 < std::size(kUnits); ++unit) size /= 1024;
  return absl::StrFormat("%.1f %s", size, kUnits[unit]);
}

absl::StatusOr<int64_t> ParseCount(absl::string_view flag,
                                   absl::string_view text) {
  int64_t count = 0;
  if (absl::SimpleAtoi(text, &count) && count >= 0) return count;
  return InvalidField(flag, text, "must be a whole number, 0 or more");
}

absl::StatusOr<absl::Duration> ParseSpan(absl::string_view flag,
                                         absl::string_view text) {
  absl::Duration span;
  if (absl::ParseDuration(text, &span) && span >= absl::ZeroDuration() &&
      span != absl::InfiniteDuration()) {
    return span;
  }
  return InvalidField(flag, text,
                      "must be a span of time such as 10m or 1h30m");
}

std::string Counted(int64_t count, absl::string_view noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

absl::StatusOr<v1::Cost> ParseCost(absl::string_view flag,
                                   absl::string_view text) {
  const std::optional<v1::Cost> cost = ParseCostText(text);
  if (cost.has_value()) return *cost;
  return InvalidField(flag, text, "must be an amount such as 'USD 12.50'");
}

std::string FormatSeconds(const google::protobuf::Duration& duration) {
  const absl::Duration span = FromProto(duration);
  if (span < absl::Minutes(1)) {
    return absl::StrFormat("%.1f s", absl::ToDoubleSeconds(span));
  }
  return absl::FormatDuration(absl::Trunc(span, absl::Seconds(1)));
}

}  // namespace kinora

#include "clients/cli/producer_text.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "clients/cli/amounts.h"
#include "common/proto_time.h"

namespace kinora {
namespace {

// Of a producer, or of all of them.
template <typename Listed>
std::string RateText(const Listed& listed) {
  if (!listed.has_call_interval()) return "";
  const double per_second =
      1 / absl::ToDoubleSeconds(FromProto(listed.call_interval()));
  std::string text = per_second >= 1
                         ? absl::StrFormat("  %.4g a second", per_second)
                         : absl::StrFormat("  %.4g a minute", per_second * 60);
  if (listed.rate_burst() > 1) {
    absl::StrAppend(&text, ", ", listed.rate_burst(), " at once");
  }
  return text;
}

std::string TimeTo(const google::protobuf::Timestamp& time, absl::Time now) {
  return FormatSeconds(
      ToProto(std::max(absl::ZeroDuration(), FromProto(time) - now)));
}

std::string BreakerText(const v1::ListedTarget& target, absl::Time now) {
  switch (target.breaker()) {
    case v1::BREAKER_STATE_CLOSED:
      return "closed";
    case v1::BREAKER_STATE_OPEN:
      return absl::StrCat("open for ", TimeTo(target.open_until(), now));
    case v1::BREAKER_STATE_HALF_OPEN:
      return "half open";
    default:
      return "-";
  }
}

}  // namespace

std::string LimitsText(const v1::ListProducersResponse& list) {
  return absl::StrCat(
      "all producers together: ", Counted(list.concurrency(), "call"),
      " at once", RateText(list), "\n");
}

std::string ProducerText(const v1::ListedProducer& producer, absl::Time now) {
  uint32_t running = 0;
  for (const v1::ListedTarget& target : producer.targets()) {
    running += target.running();
  }
  const std::string& version = producer.description().identity().version();
  std::string text =
      absl::StrCat(producer.name(), "  ", version.empty() ? "-" : version, "  ",
                   running, " of ", Counted(producer.concurrency(), "call"),
                   RateText(producer), "\n");
  if (!producer.reachable()) {
    absl::StrAppend(&text, "    ", producer.error(), "\n");
  }
  if (!producer.schema_error().empty()) {
    absl::StrAppend(&text, "    ", producer.schema_error(), "\n");
  }
  if (producer.has_held_back_until()) {
    absl::StrAppend(&text, "    left alone for ",
                    TimeTo(producer.held_back_until(), now), "\n");
  }
  for (const v1::ListedTarget& target : producer.targets()) {
    absl::StrAppend(&text, "    ", target.target(), "  ",
                    BreakerText(target, now), "  ",
                    Counted(target.running(), "call"));
    if (target.failures() > 0) {
      absl::StrAppend(&text, ", ", target.failures(), " lost");
    }
    absl::StrAppend(&text, "\n");
  }
  return text;
}

}  // namespace kinora

#include "clients/cli/wait_text.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "common/proto_time.h"

namespace kinora {

std::string UntilText(int64_t until_ms) {
  if (until_ms == 0) return "";
  return absl::FormatTime("until %Y-%m-%d %H:%M:%S UTC",
                          absl::FromUnixMillis(until_ms), absl::UTCTimeZone());
}

std::string WaitText(const v1::RunWait& wait) {
  std::string text = wait.reason();
  if (!wait.message().empty()) absl::StrAppend(&text, ": ", wait.message());
  if (wait.has_until()) {
    absl::StrAppend(&text, ", ",
                    UntilText(absl::ToUnixMillis(FromProto(wait.until()))));
  }
  return text;
}

}  // namespace kinora

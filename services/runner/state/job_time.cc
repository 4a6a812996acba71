#include "services/runner/state/job_time.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "common/utf8.h"

namespace kinora {
namespace {

// Of the last failure: with what comes before it, the message of a Failure is
// at most 3 KiB long.
constexpr size_t kMaxLastBytes = 2900;

}  // namespace

void JobTime::Stop(absl::Time at) {
  before_ = Used(at);
  from_ = until_ = absl::InfiniteFuture();
}

void JobTime::Pass(absl::Time from, absl::Time until) {
  Stop(from);
  from_ = from;
  until_ = until;
}

absl::Duration JobTime::Used(absl::Time now) const {
  if (from_ == absl::InfiniteFuture()) return before_;
  return before_ +
         std::max(absl::ZeroDuration(), std::min(now, until_) - from_);
}

v1::Failure JobTimeoutFailure(v1::Failure last, absl::Duration timeout,
                              uint32_t attempts, bool early) {
  absl::string_view why =
      absl::string_view(last.message()).substr(0, kMaxLastBytes);
  why = why.substr(0, ValidUtf8Prefix(why));
  std::string message = absl::StrCat(
      "job timeout of ", absl::ToInt64Seconds(timeout), " s is over after ",
      attempts, attempts == 1 ? " attempt" : " attempts",
      early ? ", before the next one is due" : "", why.empty() ? "" : ": ",
      why);
  last.set_message(std::move(message));
  last.set_reason(v1::FAILURE_REASON_DEADLINE_EXCEEDED);
  last.clear_retry_after();
  // A run after this one begins anew.
  last.set_retryable(true);
  return last;
}

}  // namespace kinora

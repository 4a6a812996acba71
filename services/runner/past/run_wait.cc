#include "services/runner/past/run_wait.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/proto_time.h"
#include "services/runner/state/run_pauses.h"

namespace kinora {
namespace {

RunWait Because(absl::string_view reason) {
  RunWait wait;
  wait.reason = std::string(reason);
  return wait;
}

}  // namespace

bool RunWait::IsKnownBy(const RunWait& told) const {
  if (!IsFor(told)) return false;
  if (until == INT64_MAX || told.until == INT64_MAX) return until == told.until;
  return absl::AbsDuration(absl::Nanoseconds(until) -
                           absl::Nanoseconds(told.until)) <= kLittleLater;
}

void RunStanding::WaitsFor(RunWait wait, int64_t now, const RunWait& told) {
  const bool is_soon =
      wait.until < now + absl::ToInt64Nanoseconds(kLeastWait) &&
      !wait.IsFor(told);
  if (wait.until != INT64_MAX && is_soon) {
    goes_on_soon = true;
  } else if (!later.has_value() || wait.until < later->until) {
    later = std::move(wait);
  }
}

void RunStanding::WaitsForTurn(absl::string_view producer, int64_t since,
                               int64_t now, const RunWait& told) {
  RunWait wait = Because(kProducer);
  wait.message = absl::StrCat("other runs make all the calls of ", producer,
                              " that may be made at once");
  if (now - since < absl::ToInt64Nanoseconds(kLeastWait) && !wait.IsFor(told)) {
    goes_on_soon = true;
  } else {
    WaitsFor(std::move(wait), now, told);
  }
}

RunWait WaitForProducer(absl::string_view producer,
                        const CallTurns::Hold& hold) {
  RunWait wait = Because(kProducer);
  wait.until = hold.until;
  switch (hold.why) {
    case CallTurns::Hold::Why::kAsked:
      wait.message = absl::StrCat(producer, " asked not to be called yet");
      break;
    case CallTurns::Hold::Why::kDown:
      wait.message = absl::StrCat(producer, " is down");
      break;
    case CallTurns::Hold::Why::kRate:
      wait.message = absl::StrCat(producer, " may not be called more often");
      break;
    case CallTurns::Hold::Why::kAnswers:
      wait.message = absl::StrCat(producer,
                                  " is at work on nothing but jobs that wait "
                                  "for answers, also of other runs");
      break;
  }
  return wait;
}

RunWait WaitForRetry(absl::string_view job_id, absl::string_view producer,
                     bool asked, int64_t until) {
  if (asked) {
    return WaitForProducer(producer, {CallTurns::Hold::Why::kAsked, until});
  }
  RunWait wait = Because(kProducer);
  wait.message = absl::StrCat(producer, " has failed at job ", job_id);
  wait.until = until;
  return wait;
}

v1::RunWait RecordedWait(const v1::RunWaitingEvent& event) {
  v1::RunWait wait;
  wait.set_reason(event.reason());
  wait.set_message(event.message());
  if (event.until_ms() > 0) {
    *wait.mutable_until() = ToProto(absl::FromUnixMillis(event.until_ms()));
  }
  return wait;
}

RunWait WaitOf(const RunStanding& standing) {
  if (standing.is_over) return RunWait();
  // At once, though attempts may go on.
  if (standing.is_paused) return Because(kPaused);
  if (standing.running > 0 || standing.is_answered_soon) return RunWait();
  if (standing.goes_on_soon) {
    return standing.lacks_planner ? Because(kPlanner) : RunWait();
  }
  // Nobody is asked for money that a few seconds may show not to be lacking.
  if (standing.held_by_budget && !standing.asks_again_soon) {
    return Because(kBudget);
  }
  if (standing.in_doubt > 0) return Because(kInDoubt);
  if (standing.asking > 0) {
    RunWait wait = Because(kQuestion);
    wait.until = standing.answered_by;
    return wait;
  }
  if (standing.lacks_planner) return Because(kPlanner);
  if (standing.later.has_value()) return *standing.later;
  return standing.held_by_pause ? Because(kPaused) : RunWait();
}

}  // namespace kinora

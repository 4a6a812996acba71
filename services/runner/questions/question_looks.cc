#include "services/runner/questions/question_looks.h"

#include <algorithm>
#include <utility>

#include "absl/time/time.h"

#include "services/runner/past/careful_tries.h"
#include "services/runner/past/ledger_watch.h"

namespace kinora {
namespace {

// The wall clock may be corrected meanwhile, and a machine sleeps.
constexpr absl::Duration kLongestLook = absl::Minutes(1);

}  // namespace

void QuestionLooks::LookAt(int64_t at_ms, int64_t now_ms, Executor::Task look) {
  if (at_ms >= due_ms_) return;
  executor_.Cancel(timer_);
  due_ms_ = at_ms;
  const int64_t left = at_ms - now_ms;
  const absl::Duration soonest =
      failed_ ? kLedgerRetryPeriod : absl::ZeroDuration();
  const absl::Duration delay =
      std::clamp(left < 0 ? absl::ZeroDuration() : absl::Milliseconds(left),
                 soonest, kLongestLook);
  timer_ = executor_.PostAfter(delay, std::move(look));
}

void QuestionLooks::Begin() {
  has_news_ = true;
  due_ms_ = INT64_MAX;
}

void QuestionLooks::NoteRecorded() {
  failed_ = false;
  overtaken_ = 0;
}

void QuestionLooks::NoteOvertaken() {
  failed_ = false;
  ++overtaken_;
}

bool QuestionLooks::is_careful() const { return overtaken_ < kCarefulTries; }

}  // namespace kinora

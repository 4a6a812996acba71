// The part of RunActor that keeps the numbers of its log lines right beside
// outside workers, whose lines others put into the same ledger.
//
// Lines get their numbers when they come, before they are in the ledger. So a
// batch with numbered lines is appended only if nothing has come into the
// ledger that this run does not know; else it looks what that was, gives up so
// many numbers, and tries again. A run to which nobody reports pays nothing.

#include <algorithm>
#include <utility>

#include "common/reported_event.h"
#include "services/runner/actor/run_actor.h"
#include "services/runner/past/ledger_fold.h"

namespace kinora {

bool RunActor::NumbersLines(const std::vector<v1::Event>& events) const {
  // Steps number none.
  if (step_ != nullptr || !numbers_lines_) return false;
  return std::any_of(events.begin(), events.end(), [](const v1::Event& event) {
    return event.ledger().log_appended().has_first_seq();
  });
}

void RunActor::NoteLines(const v1::AppendEventsResponse& appended,
                         const v1::AppendEventsRequest& request) {
  for (const v1::Event& event : request.events()) {
    NoteLinesTold(event.ledger().log_appended());
  }
  if (appended.first_sequence() == lines_through_ + 1) {
    lines_through_ = appended.last_sequence();
  }
}

int64_t RunActor::NoteLinesTold(const v1::LogAppendedEvent& event) {
  const int64_t before = lines_told_;
  lines_told_ =
      event.has_first_seq()
          ? std::max(lines_told_, event.first_seq() - 1 + event.lines_size())
          : lines_told_ + event.lines_size();
  return lines_told_ - before;
}

absl::Status RunActor::LearnReportedLines() {
  return FoldLedger(
      deps_.store.events, movie_id(), run_id(), &lines_through_,
      [this](const v1::Event& event) {
        if (!IsReported(event.ledger()) || !event.ledger().has_log_appended()) {
          return;
        }
        GiveWay(event.ledger().log_appended());
      });
}

void RunActor::GiveWay(const v1::LogAppendedEvent& reported) {
  const bool was_full = logs_.truncated();
  const int64_t numbers = NoteLinesTold(reported);
  logs_.GiveWay(reported, numbers);
  const bool is_full = !was_full && logs_.truncated();
  for (v1::Event& event : ledger_events_) {
    if (!event.ledger().log_appended().has_first_seq()) continue;
    v1::LogAppendedEvent* lines =
        event.mutable_ledger()->mutable_log_appended();
    int64_t first = lines->first_seq() + numbers;
    if (is_full) {
      // They have filled the log: what comes behind is counted only.
      const int64_t count = lines->lines_size();
      first += count;
      lines->clear_lines();
      if (lines->has_channel_offset()) {
        lines->set_channel_offset(lines->channel_offset() + count);
      }
    }
    lines->set_first_seq(first);
  }
}

// Readers count lines without numbers by themselves. From then on this run does
// not know any more which number the next line would have.
void RunActor::ForgetNumbers() {
  numbers_lines_ = false;
  for (v1::Event& event : ledger_events_) {
    if (event.ledger().log_appended().lines().empty()) continue;
    event.mutable_ledger()->mutable_log_appended()->clear_first_seq();
  }
}

}  // namespace kinora

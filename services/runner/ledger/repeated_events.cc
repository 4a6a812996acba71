#include "services/runner/ledger/repeated_events.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/hash/hash.h"

#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/json/ledger_json.h"
#include "services/runner/ledger/status_words.h"

namespace kinora {
namespace {

// Of the words, which ingestion puts right, and of what Kinora itself writes
// into an event nothing is looked at. Canonical JSON is the same before an
// event is written to a ledger and after it was read there.
size_t KeyOf(v1::LedgerEvent event, int64_t at_ms) {
  event.set_occurred_at_ms(0);
  event.set_source(v1::LEDGER_SOURCE_UNSPECIFIED);
  if (event.has_run_created()) {
    event.mutable_run_created()->clear_status();
  } else if (event.has_step_progress() && event.step_progress().has_status()) {
    v1::StepProgressEvent* progress = event.mutable_step_progress();
    if (const auto status = StepStatusOf(progress->status())) {
      progress->set_status(std::string(StepStatusWord(*status)));
    }
  }
  JsonValue json = LedgerEventToJson(event);
  if (event.has_unknown() && json.is_object()) {
    for (absl::string_view common : {"runId", "source", "occurredAt", "seq"}) {
      json.object().Remove(common);
    }
  }
  return absl::Hash<std::pair<std::string, int64_t>>()(
      {CanonicalJson(json), at_ms});
}

// No time that an event has.
constexpr int64_t kAnyTime = -1;

}  // namespace

bool RepeatedEvents::Knows(const v1::LedgerEvent& event) const {
  if (event.has_log_appended()) return false;
  const int64_t at_ms = event.occurred_at_ms();
  if (at_ms == 0 && event.has_step_progress()) return false;
  return counts_.contains(KeyOf(event, at_ms == 0 ? kAnyTime : at_ms));
}

void RepeatedEvents::Note(const v1::LedgerEvent& event) {
  if (event.has_log_appended()) return;
  Count(KeyOf(event, event.occurred_at_ms()));
  Count(KeyOf(event, kAnyTime));
}

void RepeatedEvents::Count(size_t key) {
  ++counts_[key];
  keys_.push_back(key);
  if (keys_.size() <= 2 * kRepeatWindow) return;
  const auto oldest = counts_.find(keys_.front());
  if (--oldest->second == 0) counts_.erase(oldest);
  keys_.pop_front();
}

}  // namespace kinora

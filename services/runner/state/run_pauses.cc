#include "services/runner/state/run_pauses.h"

namespace kinora {

void RunPauses::Apply(const v1::LedgerEvent& event) {
  if (event.has_run_waiting()) {
    const v1::RunWaitingEvent& waiting = event.run_waiting();
    if (waiting.reason() != kPaused || !waiting.requested()) return;
    if (waiting.producer().empty()) {
      whole_ = true;
    } else {
      producers_.insert(waiting.producer());
    }
  } else if (event.has_run_resumed()) {
    const v1::RunResumedEvent& resumed = event.run_resumed();
    if (resumed.reason() != kPaused || !resumed.requested()) return;
    if (!resumed.producer().empty()) {
      producers_.erase(resumed.producer());
      return;
    }
    // Who resumes a run means all of it.
    whole_ = false;
    producers_.clear();
  }
}

bool RunPauses::IsChange(bool pause, absl::string_view producer) const {
  if (!producer.empty()) {
    return pause != (producers_.find(producer) != producers_.end());
  }
  return pause ? !whole_ : whole_ || !producers_.empty();
}

v1::LedgerEvent PauseEvent(bool pause, absl::string_view producer) {
  v1::LedgerEvent event;
  const auto fill = [producer](auto* what) {
    what->set_reason(std::string(kPaused));
    what->set_producer(std::string(producer));
    what->set_requested(true);
  };
  if (pause) {
    fill(event.mutable_run_waiting());
  } else {
    fill(event.mutable_run_resumed());
  }
  return event;
}

}  // namespace kinora

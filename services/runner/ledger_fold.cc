#include "services/runner/ledger_fold.h"

namespace kinora {

absl::Status FoldLedger(EventStore& events, const std::string& movie_id,
                        const std::string& run_id, int64_t* through,
                        absl::FunctionRef<void(const v1::Event& event)> take) {
  v1::ReadEventsRequest read;
  read.mutable_log()->set_movie_id(movie_id);
  read.mutable_log()->set_kind(v1::LOG_KIND_LEDGER);
  read.mutable_log()->set_run_id(run_id);
  for (;;) {
    read.set_after_sequence(*through);
    const absl::StatusOr<v1::ReadEventsResponse> page = events.ReadPage(read);
    if (absl::IsNotFound(page.status())) return absl::OkStatus();
    if (!page.ok()) return page.status();
    for (const v1::Event& event : page->events()) take(event);
    if (page->bookmark().sequence() <= *through) return absl::OkStatus();
    *through = page->bookmark().sequence();
  }
}

}  // namespace kinora

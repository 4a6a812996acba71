#include "services/runner/past/ledger_fold.h"

#include <utility>

#include "common/threads/run_beside.h"
#include "services/store/event/ledger_log.h"

namespace kinora {

absl::Status FoldLedger(EventStore& events, const std::string& movie_id,
                        const std::string& run_id, int64_t* through,
                        absl::FunctionRef<void(const v1::Event& event)> take,
                        Executor* helper) {
  v1::ReadEventsRequest read;
  *read.mutable_log() = LedgerLog(movie_id, run_id);
  read.set_after_sequence(*through);
  absl::StatusOr<v1::ReadEventsResponse> next = events.ReadPage(read);
  for (;;) {
    if (absl::IsNotFound(next.status())) return absl::OkStatus();
    if (!next.ok()) return next.status();
    const v1::ReadEventsResponse page = *std::move(next);
    if (page.bookmark().sequence() <= *through) return absl::OkStatus();
    read.set_after_sequence(page.bookmark().sequence());
    absl::StatusOr<v1::ReadEventsResponse> following;
    const auto read_next = [&] { following = events.ReadPage(read); };
    const auto take_all = [&] {
      for (const v1::Event& event : page.events()) take(event);
    };
    if (helper == nullptr) {
      take_all();
      read_next();
    } else {
      RunBeside(*helper, read_next, take_all);
    }
    *through = page.bookmark().sequence();
    next = std::move(following);
  }
}

}  // namespace kinora

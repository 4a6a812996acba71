#include "tests/model/ledger_follower.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace kinora {
namespace {

constexpr absl::Duration kBetweenTries = absl::Milliseconds(300);

}  // namespace

LedgerFollower::LedgerFollower(ModelStore& store, Executor& executor,
                               v1::LogName log)
    : store_(store), executor_(executor), log_(std::move(log)) {}

void LedgerFollower::Follow() {
  v1::ReadEventsRequest read;
  *read.mutable_log() = log_;
  for (;;) {
    read.set_after_sequence(bookmark_);
    const absl::StatusOr<v1::ReadEventsResponse> page = store_.Ask(
        [&](const Store& store) { return store.events.ReadPage(read); });
    if (!page.ok()) {
      executor_.PostAfter(kBetweenTries, [this] { Follow(); });
      return;
    }
    if (page->events().empty()) break;
    for (const v1::Event& event : page->events()) {
      events_.push_back(event.SerializeAsString());
    }
    bookmark_ = page->bookmark().sequence();
  }
  store_.NotifyAfter(log_, bookmark_, [this] { Follow(); });
}

}  // namespace kinora

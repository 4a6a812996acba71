#include "services/runner/past/ledger_watch.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "common/telemetry/log.h"

namespace kinora {

struct LedgerWatch::Alarm {
  std::function<void()> wake;
  std::atomic<bool> retries{false};  // a timer for it is set
  std::atomic<bool> follows{false};
};

LedgerWatch::LedgerWatch(EventStore& events, Executor& executor,
                         v1::LogName ledger, int64_t through,
                         std::function<void()> wake)
    : events_(events),
      executor_(executor),
      ledger_(std::move(ledger)),
      alarm_(std::make_shared<Alarm>()),
      through_(std::max<int64_t>(through, 1)) {
  alarm_->wake = std::move(wake);
  RingNowAndThen(executor_, alarm_);
}

LedgerWatch::~LedgerWatch() {
  if (alarm_->follows.load()) events_.CancelNotify(follower_);
}

void LedgerWatch::RingNowAndThen(Executor& executor,
                                 std::weak_ptr<Alarm> alarm) {
  executor.PostAfter(kLedgerPeriod, [&executor, alarm = std::move(alarm)] {
    const std::shared_ptr<Alarm> alive = alarm.lock();
    if (alive == nullptr) return;
    alive->wake();
    RingNowAndThen(executor, alarm);
  });
}

void LedgerWatch::Read(absl::FunctionRef<void(const v1::Event&)> take) {
  v1::ReadEventsRequest read;
  *read.mutable_log() = ledger_;
  for (;;) {
    read.set_after_sequence(through_);
    const absl::StatusOr<v1::ReadEventsResponse> page = events_.ReadPage(read);
    last_read_ = page.status();
    if (behind()) {
      LogWarning("requests to a run not read yet",
                 {{"run", ledger_.run_id()}, {"error", page.status()}});
      return WakeSoon();
    }
    for (const v1::Event& event : page->events()) take(event);
    if (page->bookmark().sequence() <= through_) return;
    through_ = page->bookmark().sequence();
  }
}

void LedgerWatch::NoteAppended(const v1::AppendEventsResponse& appended) {
  if (appended.first_sequence() == through_ + 1) {
    through_ = appended.last_sequence();
  } else {
    alarm_->wake();
  }
}

void LedgerWatch::WakeSoon() {
  if (alarm_->retries.exchange(true)) return;
  executor_.PostAfter(kLedgerRetryPeriod,
                      [weak = std::weak_ptr<Alarm>(alarm_)] {
                        const std::shared_ptr<Alarm> alarm = weak.lock();
                        if (alarm == nullptr) return;
                        alarm->retries.store(false);
                        alarm->wake();
                      });
}

void LedgerWatch::Follow() {
  // One that cannot read would be told of it at once, again and again. So would
  // one that can, and only not follow: whom the last time has told of nothing
  // waits a little.
  if (behind() || alarm_->retries.load() || alarm_->follows.load()) return;
  if (std::exchange(followed_, through_) == through_) {
    followed_ = -1;
    return WakeSoon();
  }
  alarm_->follows.store(true);
  follower_ = events_.NotifyAfter(ledger_, through_,
                                  [weak = std::weak_ptr<Alarm>(alarm_)] {
                                    const auto alarm = weak.lock();
                                    if (alarm == nullptr) return;
                                    alarm->follows.store(false);
                                    alarm->wake();
                                  });
}

}  // namespace kinora

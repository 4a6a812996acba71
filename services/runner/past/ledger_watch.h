// A LedgerWatch tells whoever carries out a run what others have appended to
// the run's ledger: requests, which may come from any process. It looks there
// now and then, soon again after it could not read, at once where the run's own
// events turn out not to follow each other, and, for a run that waits, as soon
// as there is something.

#ifndef KINORA_SERVICES_RUNNER_PAST_LEDGER_WATCH_H_
#define KINORA_SERVICES_RUNNER_PAST_LEDGER_WATCH_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"

#include "common/threads/executor.h"
#include "kinora/v1/event.pb.h"
#include "services/store/event/event_store.h"

namespace kinora {

// The longest time that what others have appended is not seen, while the ledger
// can be read.
inline constexpr absl::Duration kLedgerPeriod = absl::Seconds(2);
// After a reading that has failed, or a wait that has ended for nothing.
inline constexpr absl::Duration kLedgerRetryPeriod = absl::Milliseconds(250);

// Not thread-safe.
class LedgerWatch {
 public:
  // All after `through` is news. `wake` asks for a call of Read(): from any
  // thread, also from within a method, and perhaps once more after this has
  // gone; it MUST NOT block. Does so now and then from the beginning.
  // References MUST outlive this.
  LedgerWatch(EventStore& events, Executor& executor, v1::LogName ledger,
              int64_t through, std::function<void()> wake);
  ~LedgerWatch();

  LedgerWatch(const LedgerWatch&) = delete;
  LedgerWatch& operator=(const LedgerWatch&) = delete;

  // Gives the events that are news, in order, the run's own perhaps among them.
  // Blocks on the store. What could not be read is news for a later call.
  void Read(absl::FunctionRef<void(const v1::Event&)> take);

  // The run itself has appended this, which is no news if it follows what was
  // read last; else somebody else has appended something before it.
  void NoteAppended(const v1::AppendEventsResponse& appended);

  // Wakes as soon as there is news, once. For a run that waits: it appends
  // nothing that would show what others have appended. Where the store ends the
  // wait for no reason it is begun anew after a moment.
  void Follow();

  // Whether the last Read() has failed, and how.
  bool behind() const { return !last_read_.ok(); }
  const absl::Status& last_read() const { return last_read_; }
  // Where news begins. The first event of a ledger never is: it is that of
  // whoever has begun the run.
  int64_t through() const { return through_; }

 private:
  // What outlives the watch: alarms that are on their way.
  struct Alarm;
  static void RingNowAndThen(Executor& executor, std::weak_ptr<Alarm> alarm);
  void WakeSoon();

  EventStore& events_;
  Executor& executor_;
  const v1::LogName ledger_;
  const std::shared_ptr<Alarm> alarm_;
  int64_t through_;
  absl::Status last_read_;
  EventStore::WaiterId follower_ = 0;
  int64_t followed_ = -1;  // what it follows behind, or did last
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_PAST_LEDGER_WATCH_H_

// A ManualExecutor runs closures only when the test says so, on the test's own
// thread, in virtual time.

#ifndef KINORA_COMMON_TESTING_MANUAL_EXECUTOR_H_
#define KINORA_COMMON_TESTING_MANUAL_EXECUTOR_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "absl/time/time.h"

#include "common/random.h"
#include "common/testing/fake_clock.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"

namespace kinora {

// Post, PostAfter and Cancel are thread-safe; the Run and Advance methods are
// for one thread. Closures that were not run are dropped with the executor.
class ManualExecutor final : public Executor {
 public:
  // Runs ready closures in the order of posting. `clock` MUST outlive this.
  explicit ManualExecutor(FakeClock& clock) : clock_(clock) {}

  // Picks the next of the ready closures at random, the same way for the same
  // seed: a search through interleavings that can be repeated.
  ManualExecutor(FakeClock& clock, uint64_t seed)
      : clock_(clock), random_(seed), shuffle_(true) {}

  void Post(Task task) override;
  TimerId PostAfter(absl::Duration delay, Task task) override;
  bool Cancel(TimerId id) override;

  // Runs one ready closure; false if none is. Timers are ready once the clock
  // has reached them.
  bool RunOne();

  // Runs until no closure is ready, those posted meanwhile too. Returns how
  // many.
  int RunUntilIdle();

  // Moves the clock by `by`, stopping at each timer due on the way to run what
  // is ready then. Ends idle, at the new time.
  void Advance(absl::Duration by);

  // Advances from timer to timer until `done` holds. False if nothing is left
  // to run or `limit` of virtual time has passed without it.
  bool AdvanceUntil(absl::AnyInvocable<bool()> done, absl::Duration limit);

  int pending_timers() const;

 private:
  std::optional<int64_t> NextDue() const;
  void MoveDueTimers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  FakeClock& clock_;
  SeededRandom random_{0};
  const bool shuffle_ = false;

  mutable Mutex mu_;
  std::deque<Task> ready_ ABSL_GUARDED_BY(mu_);
  std::map<std::pair<int64_t, TimerId>, Task> timers_ ABSL_GUARDED_BY(mu_);
  TimerId next_id_ ABSL_GUARDED_BY(mu_) = 1;
};

}  // namespace kinora

#endif  // KINORA_COMMON_TESTING_MANUAL_EXECUTOR_H_

// An Executor runs closures at some later moment, now or after a delay.
// Implementations: ThreadPool (common/threads/thread_pool.h) and, in tests,
// ManualExecutor (common/testing/manual_executor.h). A Strand
// (common/threads/strand.h) puts closures on an Executor one after another.

#ifndef KINORA_COMMON_THREADS_EXECUTOR_H_
#define KINORA_COMMON_THREADS_EXECUTOR_H_

#include <cstdint>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"

namespace kinora {

// All methods are safe to call from any thread, also from inside a closure that
// the Executor is running. None of them runs a closure before it returns.
class Executor {
 public:
  using Task = absl::AnyInvocable<void()>;

  // Names one pending timer; never 0, never used twice.
  using TimerId = uint64_t;

  virtual ~Executor() = default;

  // Runs `task` soon. Tasks start in the order in which they were posted, but
  // may overlap. A stopped Executor destroys `task` without running it.
  virtual void Post(Task task) = 0;

  // Runs `task` once `delay` has passed (at once for a delay <= 0), unless it
  // is cancelled or the Executor stops first.
  virtual TimerId PostAfter(absl::Duration delay, Task task) = 0;

  // Drops a pending timer. True if its task will not run; false if it has been
  // handed on already (it may be running) or is unknown. Does not wait.
  virtual bool Cancel(TimerId id) = 0;
};

}  // namespace kinora

#endif  // KINORA_COMMON_THREADS_EXECUTOR_H_

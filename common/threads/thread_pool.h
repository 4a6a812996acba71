// A ThreadPool is an Executor with a fixed number of named threads and one more
// thread that keeps its timers.

#ifndef KINORA_COMMON_THREADS_THREAD_POOL_H_
#define KINORA_COMMON_THREADS_THREAD_POOL_H_

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/threads/executor.h"
#include "common/threads/mutex.h"

namespace kinora {

// Thread-safe. A task may block, but holds one of the threads while it does.
class ThreadPool final : public Executor {
 public:
  // Starts `threads` (at least 1) threads called "<name>-0", "<name>-1", ...
  // and
  // "<name>-timer", as far as the kernel's 15 bytes for a name reach.
  ThreadPool(absl::string_view name, int threads);

  // Calls Stop().
  ~ThreadPool() override;

  void Post(Task task) override;
  TimerId PostAfter(absl::Duration delay, Task task) override;
  bool Cancel(TimerId id) override;

  // Drops all timers, runs every task that is queued and every task that those
  // post, then ends the threads. From its return on, posted tasks are destroyed
  // unrun. Calling it again does nothing.
  // REQUIRES: not called from one of the pool's own threads.
  void Stop();

 private:
  using TimerKey = std::pair<int64_t, TimerId>;  // (due time, id)

  void Work();
  void KeepTime();

  Mutex mu_;
  CondVar work_cv_;
  CondVar timer_cv_;
  std::deque<Task> queue_ ABSL_GUARDED_BY(mu_);
  std::map<TimerKey, Task> timers_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<TimerId, int64_t> due_by_id_ ABSL_GUARDED_BY(mu_);
  TimerId next_timer_id_ ABSL_GUARDED_BY(mu_) = 1;
  int running_ ABSL_GUARDED_BY(mu_) = 0;  // tasks on a thread right now
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;

  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_COMMON_THREADS_THREAD_POOL_H_

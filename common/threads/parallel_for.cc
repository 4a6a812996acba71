#include "common/threads/parallel_for.h"

#include <algorithm>
#include <atomic>
#include <memory>

#include "common/threads/mutex.h"

namespace kinora {
namespace {

// Shared by the caller and helpers that may start when all is done.
struct Loop {
  Loop(size_t n, absl::FunctionRef<void(size_t)> b) : count(n), body(b) {}

  const size_t count;
  const absl::FunctionRef<void(size_t)> body;  // only until the caller returns
  std::atomic<size_t> next{0};
  Mutex mu;
  CondVar done_cv;
  size_t done ABSL_GUARDED_BY(mu) = 0;

  void Work() {
    size_t mine = 0;
    for (size_t i = next++; i < count; i = next++) {
      body(i);
      ++mine;
    }
    if (mine == 0) return;
    MutexLock lock(mu);
    done += mine;
    if (done == count) done_cv.SignalAll();
  }
};

}  // namespace

void ParallelFor(Executor& executor, int helpers, size_t count,
                 absl::FunctionRef<void(size_t)> body) {
  if (count == 0) return;
  const auto loop = std::make_shared<Loop>(count, body);
  const size_t wanted = std::min(count - 1, static_cast<size_t>(helpers));
  for (size_t i = 0; i < wanted; ++i) {
    executor.Post([loop] { loop->Work(); });
  }
  loop->Work();
  MutexLock lock(loop->mu);
  while (loop->done < count) loop->done_cv.Wait(loop->mu);
}

}  // namespace kinora

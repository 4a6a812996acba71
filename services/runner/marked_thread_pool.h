// A MarkedThreadPool is a ThreadPool whose closures mark what they log.

#ifndef KINORA_SERVICES_RUNNER_MARKED_THREAD_POOL_H_
#define KINORA_SERVICES_RUNNER_MARKED_THREAD_POOL_H_

#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/telemetry/log.h"
#include "common/threads/executor.h"
#include "common/threads/thread_pool.h"

namespace kinora {

// As thread-safe as a ThreadPool.
class MarkedThreadPool final : public Executor {
 public:
  // The text of `mark` (LogMark) MUST outlive this.
  MarkedThreadPool(absl::string_view name, int threads, absl::string_view mark)
      : mark_(mark), threads_(name, threads) {}

  // As ThreadPool's.
  ~MarkedThreadPool() override { threads_.Stop(); }

  void Post(Task task) override { threads_.Post(Marked(std::move(task))); }
  TimerId PostAfter(absl::Duration delay, Task task) override {
    return threads_.PostAfter(delay, Marked(std::move(task)));
  }
  bool Cancel(TimerId id) override { return threads_.Cancel(id); }

 private:
  Task Marked(Task task) const {
    return [mark = mark_, task = std::move(task)]() mutable {
      const LogMark scope(mark);
      std::move(task)();
    };
  }

  const absl::string_view mark_;
  ThreadPool threads_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_MARKED_THREAD_POOL_H_

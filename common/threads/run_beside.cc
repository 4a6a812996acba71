#include "common/threads/run_beside.h"

#include <memory>

#include "common/telemetry/trace_context.h"
#include "common/threads/mutex.h"

namespace kinora {
namespace {

// Whose `other` it is to run. Outlives the call, as the helper may come late.
class Turn {
 public:
  // True for the first one who asks.
  bool Take() {
    MutexLock lock(mu_);
    const bool first = !taken_;
    taken_ = true;
    return first;
  }

  void SetDone() {
    MutexLock lock(mu_);
    done_ = true;
    changed_.SignalAll();
  }

  void WaitUntilDone() {
    MutexLock lock(mu_);
    while (!done_) changed_.Wait(mu_);
  }

 private:
  Mutex mu_;
  CondVar changed_;
  bool taken_ ABSL_GUARDED_BY(mu_) = false;
  bool done_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace

void RunBeside(Executor& helper, absl::FunctionRef<void()> other,
               absl::FunctionRef<void()> own) {
  const auto turn = std::make_shared<Turn>();
  helper.Post([turn, other, trace = CurrentTrace()] {
    if (!turn->Take()) return;  // `other` may be gone
    TraceScope scope(trace);
    other();
    turn->SetDone();
  });
  own();
  if (turn->Take()) {
    other();
  } else {
    turn->WaitUntilDone();
  }
}

}  // namespace kinora

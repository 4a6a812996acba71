// Cuts a call short that blocks another thread.

#ifndef KINORA_COMMON_THREADS_CALL_STOP_H_
#define KINORA_COMMON_THREADS_CALL_STOP_H_

#include <utility>

#include "absl/functional/any_invocable.h"

#include "common/threads/mutex.h"

namespace kinora {

// Thread-safe.
class CallStop {
 public:
  // How what is under way is cut short, for as long as this lives.
  class Way {
   public:
    // `cancel` is called at most once, from any thread: at once if the call has
    // been stopped already. It MUST NOT block or use the CallStop.
    Way(CallStop& stop, absl::AnyInvocable<void()> cancel) : stop_(stop) {
      MutexLock lock(stop_.mu_);
      if (stop_.stopped_) {
        cancel();
      } else {
        stop_.cancel_ = std::move(cancel);
      }
    }
    // `cancel` is not under way any more once this returns.
    ~Way() {
      MutexLock lock(stop_.mu_);
      stop_.cancel_ = nullptr;
    }

    Way(const Way&) = delete;
    Way& operator=(const Way&) = delete;

   private:
    CallStop& stop_;
  };

  // Cuts short what is under way, and whatever the call begins after that.
  void Stop() {
    MutexLock lock(mu_);
    stopped_ = true;
    if (cancel_) std::exchange(cancel_, nullptr)();
  }

  bool stopped() const {
    MutexLock lock(mu_);
    return stopped_;
  }

 private:
  mutable Mutex mu_;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  absl::AnyInvocable<void()> cancel_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_COMMON_THREADS_CALL_STOP_H_

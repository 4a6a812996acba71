// LogCalls counts the calls that are in progress on a log, so that the log can
// be opened anew in place between them.

#ifndef KINORA_SERVICES_STORE_EVENT_LOG_CALLS_H_
#define KINORA_SERVICES_STORE_EVENT_LOG_CALLS_H_

#include "common/threads/mutex.h"

namespace kinora {

// Thread-safe.
class LogCalls {
 public:
  enum Kind { kRead, kWrite };

  // A call in progress, for the length of a scope. It waits while the log is
  // opened anew, and MUST NOT be nested in one that reads.
  class Call {
   public:
    Call(LogCalls& calls, Kind kind) : calls_(calls), kind_(kind) {
      calls_.Begin(kind_);
    }
    ~Call() { calls_.End(kind_); }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    LogCalls& calls_;
    const Kind kind_;
  };

  // Keeps new calls out and waits for the end of those that read. False, and
  // nothing to end, if somebody else opens the log anew, or if a call that
  // writes is in progress: to wait for it could be to wait for a lock that the
  // caller holds.
  bool BeginReopen() {
    MutexLock lock(mu_);
    if (reopening_ || calls_[kWrite] > 0) return false;
    reopening_ = true;
    while (calls_[kRead] > 0) changed_.Wait(mu_);
    return true;
  }
  void EndReopen() {
    MutexLock lock(mu_);
    reopening_ = false;
    changed_.SignalAll();
  }

 private:
  void Begin(Kind kind) {
    MutexLock lock(mu_);
    while (reopening_) changed_.Wait(mu_);
    ++calls_[kind];
  }
  void End(Kind kind) {
    MutexLock lock(mu_);
    if (--calls_[kind] == 0 && reopening_) changed_.SignalAll();
  }

  Mutex mu_;
  CondVar changed_;
  int calls_[2] ABSL_GUARDED_BY(mu_) = {0, 0};  // in progress, by kind
  bool reopening_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_LOG_CALLS_H_

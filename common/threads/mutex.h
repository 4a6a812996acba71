// Mutex, MutexLock and CondVar: std::mutex and std::condition_variable under
// clang's thread-safety annotations.
//
// Use these and neither absl::Mutex nor std::mutex. The system's Abseil is not
// instrumented, so ThreadSanitizer reports false races for absl::Mutex; plain
// std::mutex carries no annotations. The macros are Abseil's own: fields are
// ABSL_GUARDED_BY(mu_), functions ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) or
// ABSL_LOCKS_EXCLUDED(mu_).

#ifndef KINORA_COMMON_THREADS_MUTEX_H_
#define KINORA_COMMON_THREADS_MUTEX_H_

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"

namespace kinora {

// A Mutex is a plain, non-recursive, exclusive lock.
class ABSL_LOCKABLE Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mu_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mu_.unlock(); }

  // Takes the lock if it is free; true if it was taken.
  bool TryLock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) {
    return mu_.try_lock();
  }

  // Tells the analysis that the lock is held where it cannot see it, as in a
  // closure that runs under the lock. Checks nothing at run time.
  void AssertHeld() const ABSL_ASSERT_EXCLUSIVE_LOCK() {}

 private:
  friend class CondVar;
  std::mutex mu_;
};

// A MutexLock holds a Mutex for the length of a scope.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mu) ABSL_EXCLUSIVE_LOCK_FUNCTION(mu) : mu_(mu) {
    mu_.Lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mu_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mu_;
};

// A CondVar lets threads wait, under a Mutex, for a change that another thread
// announces. Waits may wake without a signal: always wait in a loop around the
// condition.
class CondVar {
 public:
  CondVar() = default;
  CondVar(const CondVar&) = delete;
  CondVar& operator=(const CondVar&) = delete;

  // Unlocks `mu`, waits for a signal, locks `mu` again.
  void Wait(Mutex& mu) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);

  // As Wait(), but no longer than until RealClock().MonotonicNanos() reaches
  // `monotonic_nanos`. False if that time came; the condition may hold even so.
  bool WaitUntil(Mutex& mu, int64_t monotonic_nanos)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);

  // As WaitUntil(), counted from now. Fit for one wait; a loop with a total
  // limit computes its end once and calls WaitUntil().
  bool WaitFor(Mutex& mu, absl::Duration timeout)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);

  void SignalOne() { cv_.notify_one(); }
  void SignalAll() { cv_.notify_all(); }

 private:
  std::condition_variable cv_;
};

}  // namespace kinora

#endif  // KINORA_COMMON_THREADS_MUTEX_H_

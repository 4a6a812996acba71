// The attempts that a run has under way, to be called off from any thread: also
// while the run's own waits for a store that does not answer.

#ifndef KINORA_SERVICES_RUNNER_CALLS_ATTEMPT_CALLS_H_
#define KINORA_SERVICES_RUNNER_CALLS_ATTEMPT_CALLS_H_

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "common/threads/mutex.h"
#include "services/runner/calls/producer_caller.h"

namespace kinora {

// Thread-safe.
class AttemptCalls {
 public:
  // One that comes after CancelAll() is cancelled at once.
  void Add(const std::shared_ptr<Attempt>& attempt) {
    {
      MutexLock lock(mu_);
      if (!cancelled_) {
        if (attempts_.size() >= prune_at_) Prune();
        attempts_.push_back(attempt);
        return;
      }
    }
    attempt->Cancel();
  }

  // Cancels all of them that somebody has still, and all that follow.
  void CancelAll() {
    std::vector<std::weak_ptr<Attempt>> attempts;
    {
      MutexLock lock(mu_);
      cancelled_ = true;
      attempts = std::exchange(attempts_, {});
    }
    for (const std::weak_ptr<Attempt>& attempt : attempts) {
      if (auto alive = attempt.lock()) alive->Cancel();
    }
  }

 private:
  void Prune() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    attempts_.erase(std::remove_if(attempts_.begin(), attempts_.end(),
                                   [](const std::weak_ptr<Attempt>& attempt) {
                                     return attempt.expired();
                                   }),
                    attempts_.end());
    prune_at_ = std::max(prune_at_, 2 * attempts_.size());
  }

  Mutex mu_;
  bool cancelled_ ABSL_GUARDED_BY(mu_) = false;
  size_t prune_at_ ABSL_GUARDED_BY(mu_) = 64;
  std::vector<std::weak_ptr<Attempt>> attempts_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_CALLS_ATTEMPT_CALLS_H_

// An EventLogGroupCommit lets concurrent callers share one run of an expensive
// step, such as a sync of the journal: the writer queue of LevelDB.
//
// Callers queue up. The first in the queue leads: it takes all that are queued
// (up to a limit of bytes), runs the step for them, and wakes them. Meanwhile
// the next callers gather behind it. So the step is never run by two threads
// at once, entries pass through it in the order of the queue, and under load
// one run serves as many callers as came during the one before.

#ifndef KINORA_SERVICES_STORE_EVENT_EVENT_LOG_GROUP_COMMIT_H_
#define KINORA_SERVICES_STORE_EVENT_EVENT_LOG_GROUP_COMMIT_H_

#include <cstddef>
#include <deque>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"

#include "common/mutex.h"

namespace kinora {

// Thread-safe.
class EventLogGroupCommit {
 public:
  // What a caller queues: derive from it. Lives on the caller's stack.
  struct Entry {
    size_t bytes = 0;  // counts against the limit of a group

   private:
    friend class EventLogGroupCommit;
    bool done = false;  // guarded by mu_ of the queue
    CondVar wake;
  };

  // The step. What it wrote, the next leader and all in the group see.
  using Lead = absl::FunctionRef<void(absl::Span<Entry* const> group)>;

  // A group has at most so many bytes, or one entry.
  explicit EventLogGroupCommit(size_t max_group_bytes)
      : max_group_bytes_(max_group_bytes) {}

  // Returns once a step has served `entry`: `lead` on this thread, or the step
  // of another caller on its own. No lock is held while a step runs.
  void Run(Entry& entry, Lead lead) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // The entries at the front that make up the next group. They stay queued, so
  // that nobody else leads.
  std::vector<Entry*> NextGroup() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const size_t max_group_bytes_;
  Mutex mu_;
  std::deque<Entry*> queue_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_EVENT_LOG_GROUP_COMMIT_H_

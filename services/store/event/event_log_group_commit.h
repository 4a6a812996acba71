// An EventLogGroupCommit lets concurrent callers share one run of an expensive
// step, such as a sync of the journal: the writer queue of LevelDB.
//
// Callers queue up, each with one entry or several. The one whose entry is
// first in the queue leads: it takes all that are queued (up to a limit of
// bytes), runs the step for them, and wakes their callers. Meanwhile the next
// callers gather behind it. So the step is never run by two threads at once,
// entries pass through it in the order of the queue, and under load one run
// serves as many callers as came during the one before.

#ifndef KINORA_SERVICES_STORE_EVENT_EVENT_LOG_GROUP_COMMIT_H_
#define KINORA_SERVICES_STORE_EVENT_EVENT_LOG_GROUP_COMMIT_H_

#include <cstddef>
#include <deque>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"

#include "common/threads/mutex.h"

namespace kinora {

// Thread-safe.
class EventLogGroupCommit {
 private:
  // A thread in Run().
  struct Caller {
    size_t waiting = 0;  // entries not yet served; guarded by mu_
    CondVar wake;
  };

 public:
  // What a caller queues: derive from it. Lives in the caller's frame.
  struct Entry {
    size_t bytes = 0;  // counts against the limit of a group

   private:
    friend class EventLogGroupCommit;
    Caller* caller = nullptr;
  };

  // The step. What it wrote, the next leader and all in the group see.
  using Lead = absl::FunctionRef<void(absl::Span<Entry* const> group)>;

  // A group has at most so many bytes, or one entry.
  explicit EventLogGroupCommit(size_t max_group_bytes)
      : max_group_bytes_(max_group_bytes) {}

  // Returns once steps have served all `entries`: `lead` on this thread, maybe
  // more than once, or the steps of other callers on theirs. They pass in their
  // order. No lock is held while a step runs.
  void Run(absl::Span<Entry* const> entries, Lead lead)
      ABSL_LOCKS_EXCLUDED(mu_);

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

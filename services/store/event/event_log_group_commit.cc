#include "services/store/event/event_log_group_commit.h"

namespace kinora {

void EventLogGroupCommit::Run(Entry& entry, Lead lead) {
  std::vector<Entry*> group;
  {
    MutexLock lock(mu_);
    queue_.push_back(&entry);
    while (!entry.done && queue_.front() != &entry) entry.wake.Wait(mu_);
    if (entry.done) return;
    group = NextGroup();
  }
  lead(group);
  MutexLock lock(mu_);
  for (Entry* served : group) {
    queue_.pop_front();
    // Signalled under the lock: its owner destroys it as soon as it may.
    served->done = true;
    if (served != &entry) served->wake.SignalOne();
  }
  if (!queue_.empty()) queue_.front()->wake.SignalOne();
}

std::vector<EventLogGroupCommit::Entry*> EventLogGroupCommit::NextGroup()
    const {
  std::vector<Entry*> group;
  size_t bytes = 0;
  for (Entry* entry : queue_) {
    bytes += entry->bytes;
    if (!group.empty() && bytes > max_group_bytes_) break;
    group.push_back(entry);
  }
  return group;
}

}  // namespace kinora

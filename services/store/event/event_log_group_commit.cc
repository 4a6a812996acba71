#include "services/store/event/event_log_group_commit.h"

namespace kinora {

void EventLogGroupCommit::Run(absl::Span<Entry* const> entries, Lead lead) {
  Caller caller;
  caller.waiting = entries.size();
  mu_.Lock();
  for (Entry* entry : entries) {
    entry->caller = &caller;
    queue_.push_back(entry);
  }
  while (caller.waiting > 0) {
    if (queue_.front()->caller != &caller) {
      caller.wake.Wait(mu_);
      continue;
    }
    const std::vector<Entry*> group = NextGroup();
    mu_.Unlock();
    lead(group);
    mu_.Lock();
    for (Entry* served : group) {
      queue_.pop_front();
      // Signalled under the lock: its owner leaves as soon as it may.
      Caller& owner = *served->caller;
      if (--owner.waiting == 0 && &owner != &caller) owner.wake.SignalOne();
    }
    if (!queue_.empty() && queue_.front()->caller != &caller) {
      queue_.front()->caller->wake.SignalOne();
    }
  }
  mu_.Unlock();
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

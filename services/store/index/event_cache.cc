#include "services/store/index/event_cache.h"

namespace kinora {

EventPtr EventCache::Find(int64_t sequence) const {
  const auto found = events_.find(sequence);
  return found == events_.end() ? nullptr : found->second;
}

void EventCache::Add(EventPtr event, size_t bytes) {
  const int64_t sequence = event->sequence();
  if (!events_.try_emplace(sequence, std::move(event)).second) return;
  oldest_first_.emplace_back(sequence, bytes);
  bytes_ += bytes;
  while (bytes_ > max_bytes_ && oldest_first_.size() > 1) {
    bytes_ -= oldest_first_.front().second;
    events_.erase(oldest_first_.front().first);
    oldest_first_.pop_front();
  }
}

}  // namespace kinora

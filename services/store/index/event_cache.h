// An EventCache keeps the events of one log that were used last, up to a size.

#ifndef KINORA_SERVICES_STORE_INDEX_EVENT_CACHE_H_
#define KINORA_SERVICES_STORE_INDEX_EVENT_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "absl/container/flat_hash_map.h"

#include "services/store/event/event_ptr.h"

namespace kinora {

// Not thread-safe.
class EventCache {
 public:
  explicit EventCache(size_t max_bytes) : max_bytes_(max_bytes) {}

  // Null if it is not there.
  EventPtr Find(int64_t sequence) const;

  // Keeps an event of about so many bytes; those kept longest go for it.
  void Add(EventPtr event, size_t bytes);

 private:
  const size_t max_bytes_;
  size_t bytes_ = 0;
  absl::flat_hash_map<int64_t, EventPtr> events_;
  std::deque<std::pair<int64_t, size_t>> oldest_first_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_INDEX_EVENT_CACHE_H_

// Pages of a log that are shared between their readers.

#ifndef KINORA_SERVICES_STORE_EVENT_EVENT_PAGE_H_
#define KINORA_SERVICES_STORE_EVENT_EVENT_PAGE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "common/threads/mutex.h"
#include "kinora/v1/event.pb.h"

namespace kinora {

// An EventPage is one answer of EventStore::ReadPage(), which never changes.
// Thread-safe.
class EventPage {
 public:
  explicit EventPage(v1::ReadEventsResponse page) : page_(std::move(page)) {}

  EventPage(const EventPage&) = delete;
  EventPage& operator=(const EventPage&) = delete;

  const v1::ReadEventsResponse& page() const { return page_; }

  // Where its reader goes on.
  int64_t through() const { return page_.bookmark().sequence(); }

  // The page as protobuf has it on the wire: made when it is first asked for,
  // and the same bytes for all.
  std::shared_ptr<const std::string> Encoded() const ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    if (encoded_ == nullptr) {
      encoded_ = std::make_shared<const std::string>(page_.SerializeAsString());
    }
    return encoded_;
  }

 private:
  const v1::ReadEventsResponse page_;
  mutable Mutex mu_;
  mutable std::shared_ptr<const std::string> encoded_ ABSL_GUARDED_BY(mu_);
};

using EventPagePtr = std::shared_ptr<const EventPage>;

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_EVENT_PAGE_H_

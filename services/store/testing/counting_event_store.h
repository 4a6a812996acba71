// A CountingEventStore is another one that counts what it is asked for: what a
// reader costs.

#ifndef KINORA_SERVICES_STORE_TESTING_COUNTING_EVENT_STORE_H_
#define KINORA_SERVICES_STORE_TESTING_COUNTING_EVENT_STORE_H_

#include <atomic>
#include <cstdint>

#include "services/store/testing/forwarding_event_store.h"

namespace kinora {

// Thread-safe.
class CountingEventStore final : public ForwardingEventStore {
 public:
  using ForwardingEventStore::ForwardingEventStore;

  // Events in all pages so far.
  int64_t delivered() const { return delivered_; }

  // Queries for failed attempts so far.
  int64_t failures_asked() const { return failures_asked_; }

  absl::StatusOr<v1::ReadEventsResponse> ReadPage(
      const v1::ReadEventsRequest& request) override {
    absl::StatusOr<v1::ReadEventsResponse> page =
        ForwardingEventStore::ReadPage(request);
    if (page.ok()) delivered_ += page->events_size();
    return page;
  }
  absl::StatusOr<v1::ResolveArtefactsResponse> ResolveArtefacts(
      const v1::ResolveArtefactsRequest& request) override {
    for (const v1::ArtefactQuery& query : request.queries()) {
      if (query.failed()) ++failures_asked_;
    }
    return ForwardingEventStore::ResolveArtefacts(request);
  }

 private:
  std::atomic<int64_t> delivered_ = 0;
  std::atomic<int64_t> failures_asked_ = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_TESTING_COUNTING_EVENT_STORE_H_

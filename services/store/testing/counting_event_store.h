// A CountingEventStore is another one that counts the events it hands out: what
// a reader costs.

#ifndef KINORA_SERVICES_STORE_TESTING_COUNTING_EVENT_STORE_H_
#define KINORA_SERVICES_STORE_TESTING_COUNTING_EVENT_STORE_H_

#include <atomic>
#include <cstdint>
#include <utility>

#include "services/store/event/event_store.h"
#include "services/store/store.h"

namespace kinora {

// Thread-safe.
class CountingEventStore final : public EventStore {
 public:
  // `base` MUST outlive this.
  explicit CountingEventStore(EventStore& base) : base_(base) {}

  // The store with this in the place of its events.
  Store Within(const Store& store) {
    return {store.movies, store.blobs,  *this,      store.manifests,
            store.plans,  store.leases, store.runs, store.maintenance};
  }

  // Events in all pages so far.
  int64_t delivered() const { return delivered_; }

  absl::StatusOr<v1::AppendEventsResponse> Append(
      const v1::AppendEventsRequest& request) override {
    return base_.Append(request);
  }
  absl::StatusOr<v1::ReadEventsResponse> ReadPage(
      const v1::ReadEventsRequest& request) override {
    absl::StatusOr<v1::ReadEventsResponse> page = base_.ReadPage(request);
    if (page.ok()) delivered_ += page->events_size();
    return page;
  }
  WaiterId NotifyAfter(const v1::LogName& log, int64_t after,
                       absl::AnyInvocable<void()> callback) override {
    return base_.NotifyAfter(log, after, std::move(callback));
  }
  void CancelNotify(WaiterId id) override { base_.CancelNotify(id); }
  absl::StatusOr<v1::ResolveArtefactsResponse> ResolveArtefacts(
      const v1::ResolveArtefactsRequest& request) override {
    return base_.ResolveArtefacts(request);
  }
  absl::StatusOr<v1::ListInputsResponse> ListInputs(
      const v1::ListInputsRequest& request) override {
    return base_.ListInputs(request);
  }
  absl::StatusOr<v1::GetLogStatusResponse> GetLogStatus(
      const v1::GetLogStatusRequest& request) override {
    return base_.GetLogStatus(request);
  }

 private:
  EventStore& base_;
  std::atomic<int64_t> delivered_ = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_TESTING_COUNTING_EVENT_STORE_H_

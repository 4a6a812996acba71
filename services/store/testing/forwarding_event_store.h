// A ForwardingEventStore is another event store: what tests derive from to
// change some of what it does.

#ifndef KINORA_SERVICES_STORE_TESTING_FORWARDING_EVENT_STORE_H_
#define KINORA_SERVICES_STORE_TESTING_FORWARDING_EVENT_STORE_H_

#include <cstdint>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"

#include "services/store/event/event_store.h"
#include "services/store/store.h"

namespace kinora {

// As thread-safe as its base. AppendAll() does each append by Append(), so that
// who changes that one has changed both.
class ForwardingEventStore : public EventStore {
 public:
  // `base` MUST outlive this.
  explicit ForwardingEventStore(EventStore& base) : base_(base) {}

  // The store with this in the place of its events.
  Store Within(const Store& store) {
    return {store.movies, store.blobs,  *this,      store.manifests,
            store.plans,  store.leases, store.runs, store.maintenance};
  }

  absl::StatusOr<v1::AppendEventsResponse> Append(
      const v1::AppendEventsRequest& request) override {
    return base_.Append(request);
  }
  absl::StatusOr<v1::ReadEventsResponse> ReadPage(
      const v1::ReadEventsRequest& request) override {
    return base_.ReadPage(request);
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
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_TESTING_FORWARDING_EVENT_STORE_H_
